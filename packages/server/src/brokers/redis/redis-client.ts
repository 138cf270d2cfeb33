import type * as Library from '@redis/client'
import { within } from '../../within.ts'
import type { RedisEndpoint } from './redis-address.ts'

/** How to reach servers, whichever they are. */
export interface RedisAccess {
  readonly tls: boolean
  /** Certificates (PEM) of the authorities that servers are checked against, in place of the system's. */
  readonly ca?: string
  readonly username?: string
  readonly password?: string
  readonly database: number
  /** For connecting, and for each answer. */
  readonly timeoutMs: number
}

/**
 * A client for one server and one connection: it never connects again by itself, and keeps nothing for later. A command that was
 * written when the connection broke would otherwise be silent about whether it was carried out, and channels would be subscribed
 * again without anybody being told of the gap.
 */
const makeClient = ({ createClient }: typeof Library, { host, port }: RedisEndpoint, access: RedisAccess) => {
  const { tls, ca, username, password, database, timeoutMs } = access
  const socket = { host, port, connectTimeout: timeoutMs, reconnectStrategy: false } as const
  const options: Library.RedisClientOptions = {
    socket: tls ? { ...socket, tls: true, ...(ca !== undefined && { ca }) } : socket,
    RESP: 3,
    name: 'fusewire',
    database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    // An abort signal for each command costs more than the command; the watch of the link sees to the time.
    commandOptions: { timeout: 0 },
  }
  return createClient(options)
}

/**
 * The client library: loaded with the first connection, because it takes a sixth of the time in which a server starts, and most have
 * no Redis.
 */
let library: typeof Library | undefined

/** Whether Redis has answered, with a refusal. */
export const isErrorReply = (error: unknown): error is Library.ErrorReply =>
  library !== undefined && error instanceof library.ErrorReply

export type RedisClient = ReturnType<typeof makeClient>

/** Connects for a piece of work, which has the time for an answer, and lets go again. */
export const withRedis = async <T>(
  endpoint: RedisEndpoint,
  access: RedisAccess,
  work: (client: RedisClient) => Promise<T>,
): Promise<T> => {
  const client = await connectRedis(endpoint, access, () => undefined)
  try {
    return await within(work(client), access.timeoutMs, () => {
      throw new Error(`no answer within ${access.timeoutMs} ms`)
    })
  } finally {
    client.destroy()
  }
}

/** The same with a sentinel, which often has no user or password of its own, and no databases. */
export const withSentinel: typeof withRedis = async (endpoint, access, work) => {
  const { username, password, ...bare } = { ...access, database: 0 }
  try {
    return await withRedis(endpoint, { ...access, database: 0 }, work)
  } catch (error) {
    if (password === undefined || !isErrorReply(error)) throw error
    return withRedis(endpoint, bare, work)
  }
}

/**
 * Connects within the time for an answer. `onEnd` hears when the connection is no more: once, and only if it has come about. Rejects
 * when it does not.
 */
export const connectRedis = async (
  endpoint: RedisEndpoint,
  access: RedisAccess,
  onEnd: (error: Error) => void,
): Promise<RedisClient> => {
  library ??= await import('@redis/client')
  const client = makeClient(library, endpoint, access)
  let state: 'connecting' | 'connected' | 'ended' = 'connecting'
  // Whatever a client reports as an error leaves its connection in doubt.
  client.on('error', (error: Error) => {
    if (state !== 'connected') return
    state = 'ended'
    client.destroy()
    onEnd(error)
  })
  const connecting = client.connect()
  try {
    await within(connecting, access.timeoutMs, () => {
      throw new Error(`no connection within ${access.timeoutMs} ms`)
    })
    state = 'connected'
    return client
  } catch (error) {
    // One that is given up may connect all the same, and has to be ended again then.
    client.destroy()
    connecting.then(
      () => client.destroy(),
      () => undefined,
    )
    throw error
  }
}
