import { splitWay } from './split-way.ts'
import { tcpWay } from './tcp-way.ts'
import type { Way } from './way.ts'
import { webSocketWay } from './websocket-way.ts'

/** Every way in, and between them every encoding, HTTP version and sort of port. */
export const WAYS: readonly Way[] = [
  webSocketWay('HTTP/1.1', 'json'),
  webSocketWay('HTTP/1.1 in the clear', 'msgpack'),
  webSocketWay('HTTP/2', 'json'),
  webSocketWay('HTTP/2', 'msgpack'),
  splitWay('sse', 'HTTP/1.1'),
  splitWay('sse', 'HTTP/2'),
  splitWay('stream', 'HTTP/1.1'),
  splitWay('stream', 'HTTP/2'),
  splitWay('poll', 'HTTP/1.1'),
  splitWay('poll', 'HTTP/2'),
  tcpWay('TLS'),
  tcpWay('cleartext'),
]
