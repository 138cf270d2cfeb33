/** Where a Redis server or sentinel listens. */
export interface RedisEndpoint {
  readonly host: string
  readonly port: number
}

/** What an address of the option `broker` says. */
export interface RedisAddress extends RedisEndpoint {
  readonly tls: boolean
  readonly username?: string
  readonly password?: string
  /** Number of the database; 0 unless the path names another. */
  readonly database: number
}

const DEFAULT_PORT = { standalone: 6379, cluster: 6379, sentinel: 26_379 } as const

export type RedisMode = keyof typeof DEFAULT_PORT

export const isRedisAddress = (address: string): boolean => /^rediss?:/iu.test(address)

/** What is wrong with an address, in words that never repeat what it holds: it may have a password. Undefined when nothing is. */
export const redisAddressProblem = (address: string, mode: RedisMode): string | undefined => {
  if (!URL.canParse(address)) return 'is not an address; write redis://host:port, or rediss://user:password@host:port/0'
  const { hostname, pathname, search, hash, username, password } = new URL(address)
  if (hostname === '') return 'names no host; write redis://host:port'
  if (search !== '' || hash !== '') return 'has a query or a fragment, which means nothing here; leave it out'
  if (username !== '' && password === '') return 'has a user without a password; write redis://user:password@host:port'
  if ([username, password].some((text) => decoded(text) === undefined))
    return 'has a user or password that is not percent-encoded; write % as %25 and @ as %40'
  if (!/^(?:\/\d{0,5})?$/u.test(pathname)) return 'has a path that is not the number of a database; write redis://host:port/0'
  if (mode === 'cluster' && Number(pathname.slice(1)) !== 0) return 'names a database, and a Redis Cluster has only number 0'
  return undefined
}

/** Of an address without {@link redisAddressProblem}. */
export const parseRedisAddress = (address: string, mode: RedisMode): RedisAddress => {
  const { protocol, hostname, port, pathname, username, password } = new URL(address)
  return {
    host: hostname.replace(/^\[(.*)\]$/u, '$1'),
    port: port === '' ? DEFAULT_PORT[mode] : Number(port),
    tls: protocol.toLowerCase() === 'rediss:',
    database: Number(pathname.slice(1)),
    ...(password !== '' && { password: decoded(password) ?? '' }),
    ...(username !== '' && { username: decoded(username) ?? '' }),
  }
}

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
