import type { Connection, Peer } from '@fusewire/engine'
import type { FlushScheduler } from './flush-scheduler.ts'
import type { StreamScheduler } from './stream-scheduler.ts'
import type { Traffic } from './traffic.ts'

/** What every transport needs from the rest of the server, and nothing more. */
export interface TransportContext {
  /** Hands a new connection to the engine. */
  open(connection: Connection): Peer
  readonly scheduler: FlushScheduler
  readonly streams: StreamScheduler
  readonly traffic: Traffic
  readonly limits: TransportLimits
  /** May a page of this `Origin` talk to this `Host` (or `:authority`)? */
  isOriginAllowed(origin: string | undefined, host: string | undefined): boolean
  /** Where a request comes from, which a trusted proxy may have said in `X-Forwarded-For`: the address that is logged and counted. */
  clientAddress(socketAddress: string | undefined, forwardedFor: string | readonly string[] | undefined): string
  /** Structured events with stable names, for the log. */
  log(event: string, details: Record<string, unknown>): void
}

export interface TransportLimits {
  /** Bytes of one inbound message. Default 65,536. */
  readonly maxMessageBytes: number
  /** Nesting of arrays and objects in one inbound message. Default 32. */
  readonly maxDepth: number
  /** Bytes that wait for a slow client. Default 1,048,576. */
  readonly maxBufferedBytes: number
}
