import { isErrorReply, type RedisAccess } from './redis-client.ts'

export interface Explanation {
  /** Follows the address. */
  readonly message: string
  /** Whether it may be otherwise in a moment. */
  readonly mayPass: boolean
}

/** What the operator has to do about a server that cannot be used. Never repeats a user or a password. */
export const explainRedis = (error: unknown, access: RedisAccess): Explanation =>
  isErrorReply(error) ? explainReply(error.message, access) : explainConnection(error, access)

const explainReply = (reply: string, { database, password }: RedisAccess): Explanation => {
  const lasting = (message: string): Explanation => ({ message, mayPass: false })
  if (reply.startsWith('WRONGPASS')) return lasting('refuses the user or password; correct them in the address')
  if (reply.startsWith('NOAUTH'))
    return lasting(
      password === undefined
        ? 'wants a password; write redis://:password@host:port, or redis://user:password@host:port'
        : 'refuses the user or password; correct them in the address',
    )
  if (reply.startsWith('NOPERM')) return lasting(`does not let this user do what is needed (${reply.slice(7)})`)
  if (/SELECT is not allowed in cluster mode/iu.test(reply))
    return lasting('is a server of a Redis Cluster; set redisMode to cluster, and leave the database out')
  if (/DB index/iu.test(reply)) return lasting(`has no database ${database}; correct the number at the end of the address`)
  if (/unknown command/iu.test(reply)) return lasting('is too old: Redis 7.0 or newer is needed, for its functions')
  if (reply.startsWith('LOADING'))
    return { message: 'is still reading what it has on disk; wait, and start again', mayPass: true }
  return lasting(`cannot be used: ${reply}`)
}

const explainConnection = (error: unknown, { tls, timeoutMs }: RedisAccess): Explanation => {
  const passing = (message: string): Explanation => ({ message, mayPass: true })
  const lasting = (message: string): Explanation => ({ message, mayPass: false })
  const code = codeOf(error)
  if (code === 'ECONNREFUSED') return passing('takes no connections; start Redis there, or correct the address')
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return passing('has a host that no name server knows; correct it')
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return passing('is not to be reached from here; look at the network between')
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return lasting('has a certificate for another name; write the name that is in it')
  if (/CERT|SELF_SIGNED|UNABLE_TO_/u.test(code))
    return lasting(`has a certificate that is not trusted (${code}); set brokerCaFile to the authority that has issued it`)
  if (tls && /^(?:ERR_SSL|EPROTO)/u.test(code)) return lasting('does not speak TLS there; write redis://, or the port that does')
  const text = error instanceof Error ? error.message : String(error)
  if (/no (?:connection|answer) within|timeout/iu.test(text) || code === 'ETIMEDOUT')
    return passing(
      `has not answered within ${timeoutMs} ms (brokerTimeoutMs); look whether Redis ${tls ? 'speaks TLS' : 'is'} there, and at what is between`,
    )
  if (code === 'ECONNRESET' || /closed unexpectedly/iu.test(text))
    return passing(`closes the connection${tls ? '' : '; write rediss:// if it speaks TLS there'}`)
  return passing(`cannot be used: ${text}`)
}

/** That of the first error that has one: of several addresses of a host each has its own. */
const codeOf = (error: unknown): string => {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
    if (at instanceof AggregateError) return codeOf(at.errors[0])
  }
  return ''
}
