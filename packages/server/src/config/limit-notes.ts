import type { authOptions } from './auth-options.ts'
import type { limitOptions } from './limit-options.ts'
import type { listenerOptions } from './listener-options.ts'
import type { OptionName } from './options.ts'
import type { sessionOptions } from './session-options.ts'

/** Options that say how much a client may have of something, or how long it may take. */
export type LimitOptionName =
  | keyof typeof limitOptions
  | Extract<keyof typeof listenerOptions, `http2${string}` | 'maxHeaderBytes' | 'handshakeTimeoutMs'>
  | Extract<keyof typeof sessionOptions, 'connectTimeoutMs'>
  | Extract<keyof typeof authOptions, 'maxRevocations'>

export interface LimitNote {
  /** What happens to what is beyond. */
  readonly beyond: string
  /** Where it is counted, when it is not in `fusewire_refusals_total` by the option's own name. */
  readonly counted?: string
}

const OLDEST_WAITING = 'of the sessions that wait, the oldest ends'

const RESET = 'the connection is reset before a byte of it is read'

/** What happens beyond each limit: for the table of docs/security.md. An option without a note does not compile. */
export const LIMIT_NOTES = {
  maxConnections: {
    beyond: `${RESET}; within HTTP/2, \`disconnect\` with \`overloaded\` and \`retryAfterMs\`; ${OLDEST_WAITING}`,
  },
  maxConnectionsPerAddress: {
    beyond: `${RESET}; within HTTP/2 and behind a trusted proxy, \`disconnect\` with \`too_many_connections\` and \`retryAfterMs\`; ${OLDEST_WAITING}`,
  },
  maxConnectionsPerUser: {
    beyond:
      'the oldest session that waits for its client ends; if there is none, `connect` is refused with `too_many_connections` and `retryAfterMs`',
  },
  handshakesPerSecond: { beyond: RESET },
  handshakesPerSecondPerAddress: { beyond: RESET },
  stateReadsPerSecondPerAddress: { beyond: '429 `rate_limited` with `Retry-After`' },
  maxMessageBytes: {
    beyond: '`message_too_large`; a WebSocket ends, with 1009 where the size was announced; the HTTP API answers 413',
  },
  maxDepth: { beyond: '`message_too_deep`, and the message counts as unacceptable' },
  maxBufferedBytes: {
    beyond: 'the connection ends with `slow_consumer`, or older publications give way where the rule says `latest`',
    counted: '`fusewire_slow_consumers_disconnected_total`',
  },
  maxChannelsPerSession: { beyond: '`subscribe` is refused with `too_many_channels`' },
  maxBadMessages: { beyond: 'the connection ends with `malformed_message`' },
  maxPendingRequests: { beyond: 'the request is refused with `overloaded`' },
  messagesPerSecond: { beyond: 'the message is refused with `rate_limited` and `retryAfterMs`' },
  messagesBurst: { beyond: 'what `messagesPerSecond` says', counted: 'with `messagesPerSecond`' },
  bytesPerSecond: { beyond: 'the message is refused with `rate_limited` and `retryAfterMs`' },
  bytesBurst: { beyond: 'what `bytesPerSecond` says', counted: 'with `bytesPerSecond`' },
  maxRateLimited: { beyond: 'the connection ends with `rate_limited` and `retryAfterMs`; the session can be resumed' },
  handshakeTimeoutMs: { beyond: 'the connection ends, with 408 `request_timeout` where HTTP/1.1 is spoken' },
  maxHeaderBytes: {
    beyond: '431 `header_too_large`; over HTTP/2 the stream or the connection ends with ENHANCE_YOUR_CALM, and is not counted',
  },
  http2MaxConcurrentStreams: {
    beyond: 'the stream is refused (REFUSED_STREAM) by Node, which does not say so; more than 100 of them end the connection',
    counted: 'not counted',
  },
  http2MaxResets: { beyond: 'the connection ends with ENHANCE_YOUR_CALM' },
  http2MaxSettings: { beyond: 'the connection ends with ENHANCE_YOUR_CALM' },
  http2MaxPings: { beyond: 'the connection ends with ENHANCE_YOUR_CALM' },
  connectTimeoutMs: {
    beyond: 'the connection ends with `connect_timeout`',
    counted: '`fusewire_disconnects_total{code="connect_timeout"}`',
  },
  maxRevocations: { beyond: 'the revocation is refused with `overloaded`; nothing is revoked' },
} as const satisfies Record<LimitOptionName, LimitNote> & Partial<Record<OptionName, LimitNote>>
