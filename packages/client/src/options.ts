import type { Codec } from '@fusewire/protocol'
import type { Platform } from './platform.ts'
import { TRANSPORTS, type TransportName } from './routes.ts'
import type { TokenSource } from './session/token-keeper.ts'
import { json } from './wire/json.ts'

export interface ClientOptions extends TokenSource, Platform {
  /** Who connects, for the server's logs. */
  readonly name?: string
  readonly version?: string
  /** The order of fallback. Default `['websocket', 'stream', 'sse', 'poll']`. */
  readonly transports?: readonly TransportName[]
  /** How WebSocket messages are written. Default JSON; `msgpackCodec` is in `@fusewire/client/msgpack`. */
  readonly codec?: Codec
  /** The bound of the first wait between attempts; it doubles with each. Default 1,000. */
  readonly minBackoffMs?: number
  /** The largest bound. Default 30,000. */
  readonly maxBackoffMs?: number
  /** Failed attempts in a row after which the client only probes. Default 10. */
  readonly maxAttempts?: number
  /** Time between probes, on average. Default 60,000. */
  readonly probeIntervalMs?: number
  /** How long one attempt may take. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** How long an answer may take. Default 10,000. */
  readonly requestTimeoutMs?: number
  /** Requests while there is no connection wait for the next, or are refused with `offline`. Default `queue`. */
  readonly whenOffline?: 'queue' | 'refuse'
  /** Requests that wait, at most. Default 1,000. */
  readonly maxQueuedRequests?: number
}

export const withDefaults = (given: ClientOptions) => ({
  transports: TRANSPORTS,
  codec: json,
  minBackoffMs: 1_000,
  maxBackoffMs: 30_000,
  maxAttempts: 10,
  probeIntervalMs: 60_000,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  whenOffline: 'queue' as const,
  maxQueuedRequests: 1_000,
  ...given,
})

/** Endpoints as transports use them: `https://host[/base]`. @throws TypeError for what is no URL. */
export const readEndpoints = (given: string | URL | readonly (string | URL)[] | undefined): string[] => {
  const { location } = globalThis as { location?: { origin: string } }
  const list = [given ?? location?.origin].flat()
  if (!list[0]) throw new TypeError('an endpoint is needed')
  return list.map((endpoint) => {
    const { protocol, host, pathname } = new URL(String(endpoint).replace(/^ws/i, 'http'))
    if (!/^https?:$/.test(protocol)) throw new TypeError(`${endpoint} is no http(s) or ws(s) URL`)
    return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`
  })
}
