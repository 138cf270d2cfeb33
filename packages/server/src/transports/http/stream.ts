import { LineDecoder } from '@fusewire/protocol'
import { ndjsonFormat } from '../formats.ts'
import type { HttpExchange } from './http-exchange.ts'
import { LINE_END, type Line } from './line-receiver.ts'
import { NDJSON_HEADERS, NDJSON_KEEP_ALIVE } from './ndjson.ts'
import { openSplitResponse, type SplitServices } from './open-response.ts'

const SHAPE = { transport: 'stream', format: ndjsonFormat, headers: NDJSON_HEADERS, keepAlive: NDJSON_KEEP_ALIVE } as const

/**
 * `POST /stream`: lines both ways. Each line of the request is handled as it comes, so that a client which can keep its request
 * open (HTTP/2) needs no other; one that cannot goes on with numbered requests.
 */
export const serveStream = (exchange: HttpExchange, services: SplitServices): void => {
  const { limits, traffic } = services.context
  const split = openSplitResponse(exchange, SHAPE, services)
  const decoder = new LineDecoder(limits.maxMessageBytes)
  const receive = (line: Line): void => split.receiveLines([line])
  exchange.body.on('data', (chunk: Uint8Array) => {
    traffic.stream.bytesIn += chunk.byteLength
    decoder.read(chunk, receive, receive)
  })
  exchange.body.on('end', () => {
    // A line that was cut is no message.
    if (exchange.isRequestComplete) decoder.read(LINE_END, receive, receive)
  })
}
