import type { HttpExchange } from './http-exchange.ts'
import type { OneWayFormats } from './one-way-format.ts'
import { OneWayGate } from './one-way-gate.ts'
import { readOneWayRequest } from './one-way-request.ts'
import { OneWayRetries } from './one-way-retries.ts'
import { openSplitResponse, type SplitServices } from './open-response.ts'
import { ResponseConnection, type ResponseServices } from './response-connection.ts'
import { spread } from './spread.ts'
import { SSE_HEADERS, SSE_KEEP_ALIVE, sseFormat } from './sse-format.ts'

/** `GET /sse`: messages come down as events, and go up in numbered requests. */
export const serveSse = (exchange: HttpExchange, services: SplitServices): void => {
  const shape = { transport: 'sse', format: sseFormat, headers: SSE_HEADERS, keepAlive: SSE_KEEP_ALIVE } as const
  openSplitResponse(exchange, shape, services)
}

export interface OneWayServices extends ResponseServices {
  readonly formats: OneWayFormats
  readonly retryMs: number
}

/**
 * `GET /sse?channel=…`: the URL says everything, so that a bare `new EventSource(url)` is a client. Connects and subscribes on its
 * behalf, again where a channel cannot be had for now.
 * @throws {@link MessageError} when the URL asks for what no client may.
 */
export const serveOneWaySse = (exchange: HttpExchange, services: OneWayServices): void => {
  const { context, formats, retryMs } = services
  const request = readOneWayRequest(exchange.query, exchange.headers, context.limits.maxDepth)
  if (request.kind === 'stop') {
    // WHATWG HTML section 9.2.3: a browser that is answered 204 does not come back.
    exchange.answer(204)
    return
  }
  const { subscriptions = [] } = request.connect
  const gate = new OneWayGate(request.channels)
  const retries = new OneWayRetries(subscriptions, {
    retryMs,
    subscribe: (subscription) => peer.receive({ type: 'subscribe', ...subscription }, 0),
  })
  const connection = new ResponseConnection(
    exchange,
    {
      transport: 'sse',
      format: formats.create(subscriptions, (message) => {
        gate.see(message)
        retries.see(message)
      }),
      headers: SSE_HEADERS,
      keepAlive: SSE_KEEP_ALIVE,
      preamble: Buffer.from(`retry: ${spread(retryMs)}\n\n`),
      gate,
    },
    services,
  )
  const peer = context.open(connection)
  connection.attach({
    alive: () => peer.alive(),
    closed: () => {
      retries.close()
      // Whoever comes back resumes by position; nobody has the session's secret, and it need not outlive the stream.
      peer.receive({ type: 'disconnect' }, 0)
      peer.closed()
    },
  })
  // Its size is that of a header, which has limits of its own.
  peer.receive(request.connect, 0)
}
