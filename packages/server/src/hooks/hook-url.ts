import { isLoopbackName } from '../auth/loopback.ts'

/**
 * Says what is wrong with the address of a backend; undefined when it can be used. Over `http:` whoever is on the way could decide in
 * its place, so it is for this machine alone, unless `allowHttp`.
 */
export const hookUrlProblem = (text: string, allowHttp: boolean): string | undefined => {
  if (!URL.canParse(text)) return `is not a URL: ${JSON.stringify(text)}; write https://…`
  const { protocol, hostname, username, password } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') return `${protocol} cannot be called; write https://…`
  if (protocol === 'http:' && !allowHttp && !isLoopbackName(hostname))
    return 'the answers decide what clients may do, so they must come over https; http is for this machine and for development, or set hookAllowHttp: true in a network that you trust'
  if (username !== '' || password !== '')
    return 'an address with a user name or password is not supported; calls are signed with hookSecrets'
  return undefined
}
