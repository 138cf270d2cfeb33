import { isLoopbackName } from './loopback.ts'

/**
 * Says what is wrong with `jwksUrl`; undefined when it can be used. Over `http:` whoever is on the way could put keys of their own
 * in, so it is for this machine alone, unless `allowHttp`.
 */
export const jwksUrlProblem = (text: string, allowHttp: boolean): string | undefined => {
  if (!URL.canParse(text)) return `is not a URL: ${JSON.stringify(text)}; write https://…`
  const { protocol, hostname, username, password } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') return `${protocol} cannot be fetched; write https://…`
  if (protocol === 'http:' && !allowHttp && !isLoopbackName(hostname))
    return 'the keys decide who may connect, so they must come over https; http is for this machine and for development'
  // fetch() refuses such an address, and a log would show the password.
  if (username !== '' || password !== '') return 'an address with a user name or password is not supported'
  return undefined
}
