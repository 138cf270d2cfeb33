/**
 * Counts the revisions of the wire format; `schema-hash.test.ts` fails when the format changes without it. A revision that older
 * peers cannot live with needs new paths, subprotocols and ALPN as well.
 */
export const PROTOCOL_VERSION = 2

/** WebSocket subprotocols (RFC 6455 section 1.9): JSON in text frames, MessagePack in binary frames. */
export const SUBPROTOCOL = { json: 'fusewire.v1.json', msgpack: 'fusewire.v1.msgpack' } as const

/** ALPN protocol of the raw TCP transport (RFC 7301). */
export const ALPN = 'fusewire/1'

/** Where a WebSocket gets back what it sends. */
export const ECHO_PATH = '/fusewire/v1/echo'

/** Where each way in lives on the port. */
export const PATHS = {
  webSocket: '/fusewire/v1/ws',
  sse: '/fusewire/v1/sse',
  stream: '/fusewire/v1/stream',
  poll: '/fusewire/v1/poll',
  send: '/fusewire/v1/send',
} as const
