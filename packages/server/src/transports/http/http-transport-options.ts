import type { TransportName } from '@fusewire/engine'
import type { OtherNodes } from './other-nodes.ts'

export interface HttpTransportOptions {
  /** This node's id: the beginning of every connection secret, so that any node can tell where a request belongs. */
  readonly node: string
  /** Those of `sse`, `stream` and `poll` that are turned on; others are not looked at. */
  readonly transports: readonly TransportName[]
  /** Bytes of one request body, other than of a stream. Default 1,048,576. */
  readonly maxBodyBytes?: number
  /** How long the body of a request may take, other than of a stream. Default 30,000. */
  readonly bodyTimeoutMs?: number
  /** Numbered requests that may arrive before their turn. Default 32. */
  readonly maxHeldRequests?: number
  /** How long a poll waits for messages. Default 25,000. */
  readonly pollTimeoutMs?: number
  /** How long a polling connection may be without a poll. Default 10,000. */
  readonly pollGapMs?: number
  /** How often a stream carries something, be it nothing but a sign of life. Default 25,000. */
  readonly keepAliveIntervalMs?: number
  /** How long a client may take to read the end of a stream. Default 5,000. */
  readonly closeTimeoutMs?: number
  /** When EventSource comes back to a one-way stream that ended, on average. Default 2,000. */
  readonly retryMs?: number
  /** How long another node may take to say that the answer to a poll has reached its client. Default 30,000. */
  readonly confirmTimeoutMs?: number
  /** The way to the nodes whose requests come to this one. Absent where there is no other node. */
  readonly others?: OtherNodes | undefined
  /** Milliseconds of the clock that `tick` is called with. Default `Date.now`. */
  readonly now?: () => number
}

export type HttpTransportSettings = Required<HttpTransportOptions>

export const withDefaults = (options: HttpTransportOptions): HttpTransportSettings => ({
  maxBodyBytes: 1_048_576,
  bodyTimeoutMs: 30_000,
  maxHeldRequests: 32,
  pollTimeoutMs: 25_000,
  pollGapMs: 10_000,
  keepAliveIntervalMs: 25_000,
  closeTimeoutMs: 5_000,
  retryMs: 2_000,
  confirmTimeoutMs: 30_000,
  others: undefined,
  now: Date.now,
  ...options,
})
