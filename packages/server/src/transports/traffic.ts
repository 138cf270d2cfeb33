import type { TransportName } from '@fusewire/engine'

/** What has passed through one transport since the start. Plain numbers: incremented where it happens, read when metrics are scraped. */
export interface TransportTraffic {
  /** Bytes of the stream, without what TLS and HTTP/2 add; inbound WebSocket messages count by their size after decompression. */
  bytesIn: number
  bytesOut: number
  /** Open now. */
  connections: number
  /** Accepted since the start. */
  opened: number
  /** Handshakes answered with an error since the start. */
  refused: number
  /** For which frames wait behind a full socket now. */
  behind: number
  /** Connections that have been behind, each counted once. */
  fellBehind: number
  /** Publications that made way for a newer one before a client that was behind has read them. */
  conflated: number
  /** Connections ended because more than `maxBufferedBytes` waited for them. */
  slowDisconnects: number
}

export type Traffic = Readonly<Record<TransportName, TransportTraffic>>

const none = (): TransportTraffic => ({
  bytesIn: 0,
  bytesOut: 0,
  connections: 0,
  opened: 0,
  refused: 0,
  behind: 0,
  fellBehind: 0,
  conflated: 0,
  slowDisconnects: 0,
})

export const createTraffic = (): Traffic => ({
  websocket: none(),
  'websocket-h2': none(),
  sse: none(),
  stream: none(),
  poll: none(),
  tcp: none(),
})
