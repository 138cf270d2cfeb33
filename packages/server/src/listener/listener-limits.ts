import type { GateLimits } from './connection-gate.ts'

/** What a client may take before, and besides, its messages. */
export interface ListenerLimits extends GateLimits {
  /** Time for the TLS handshake, for the first bytes of a cleartext connection, and for the headers of a request. Default 10,000. */
  readonly handshakeTimeoutMs: number
  /** All headers of one request. Default 16,384. */
  readonly maxHeaderBytes: number
  /** Streams at a time of one HTTP/2 connection. Default 200. */
  readonly http2MaxConcurrentStreams: number
  /** Streams that one HTTP/2 connection may abort within ten seconds. Default 200. */
  readonly http2MaxResets: number
  /** SETTINGS frames that one HTTP/2 connection may send within ten seconds. Default 100. */
  readonly http2MaxSettings: number
  /** PING frames that one HTTP/2 connection may send within ten seconds. Default 500. */
  readonly http2MaxPings: number
  /** What may wait for a slow client, for each stream. Default 1,048,576. */
  readonly maxBufferedBytes: number
}

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  handshakeTimeoutMs: 10_000,
  maxHeaderBytes: 16_384,
  http2MaxConcurrentStreams: 200,
  http2MaxResets: 200,
  http2MaxSettings: 100,
  http2MaxPings: 500,
  maxBufferedBytes: 1_048_576,
  maxConnections: 100_000,
  maxConnectionsPerAddress: 10_000,
  handshakesPerSecond: 2000,
  handshakesPerSecondPerAddress: 2000,
}
