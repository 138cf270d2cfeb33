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
}

export type Traffic = Readonly<Record<TransportName, TransportTraffic>>

const none = (): TransportTraffic => ({ bytesIn: 0, bytesOut: 0, connections: 0, opened: 0, refused: 0 })

export const createTraffic = (): Traffic => ({
  websocket: none(),
  'websocket-h2': none(),
  sse: none(),
  stream: none(),
  poll: none(),
  tcp: none(),
})
