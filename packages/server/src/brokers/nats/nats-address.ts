import { isIP } from 'node:net'
import { ConfigurationError } from '../../config/configuration-error.ts'

/** What an address of the option `broker` says. */
export interface NatsAddress {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly user?: string
  readonly password?: string
  readonly token?: string
}

const DEFAULT_PORT = 4222

export const isNatsAddress = (address: string): boolean => /^(?:nats|tls):/iu.test(address)

/** What is wrong with an address, in words that never repeat what it holds: it may have a password. Undefined when nothing is. */
export const natsAddressProblem = (address: string): string | undefined => {
  if (!isNatsAddress(address)) return 'is not an address of NATS like the others; write nats://host:port, or tls://host:port'
  if (!URL.canParse(address)) return 'is not an address; write nats://host:port, or tls://user:password@host:port'
  const { hostname, pathname, search, hash, username, password } = new URL(address)
  if (hostname === '') return 'names no host; write nats://host:port'
  if (!/^\/?$/u.test(pathname) || search !== '' || hash !== '')
    return 'has a path, a query or a fragment, which means nothing here; write nats://host:port'
  if (username === '' && password !== '') return 'has a password without a user; write nats://user:password@host:port'
  if ([username, password].some((text) => decoded(text) === undefined))
    return 'has a user, password or token that is not percent-encoded; write % as %25 and @ as %40'
  return undefined
}

/** Of an address without {@link natsAddressProblem}. What stands alone before the `@` is a token. */
export const parseNatsAddress = (address: string): NatsAddress => {
  const { protocol, hostname, port, username, password } = new URL(address)
  const name = decoded(username) ?? ''
  const access = password === '' ? { token: name } : { user: name, password: decoded(password) ?? '' }
  return {
    host: hostname.replace(/^\[(.*)\]$/u, '$1'),
    port: port === '' ? DEFAULT_PORT : Number(port),
    tls: protocol.toLowerCase() === 'tls:',
    ...(name !== '' && access),
  }
}

/** All addresses of the option `broker`. Throws a {@link ConfigurationError} with every problem. */
export const parseNatsAddresses = (addresses: readonly string[]): readonly NatsAddress[] => {
  const problems = addresses.flatMap((address, index) => {
    const message = natsAddressProblem(address)
    return message === undefined ? [] : [{ option: `broker[${index}]`, message }]
  })
  if (problems.length > 0) throw new ConfigurationError(problems)
  return addresses.map(parseNatsAddress)
}

/** Host and port, as errors and log lines may tell them. */
export const addressName = ({ host, port }: NatsAddress): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
