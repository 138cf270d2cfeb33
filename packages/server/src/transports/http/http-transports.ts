import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { DenseSet, type TransportName } from '@fusewire/engine'
import { ERRORS, FusewireError, PATHS } from '@fusewire/protocol'
import { corsHeaders, preflightHeaders } from '../../cors.ts'
import { reportOrigin } from '../../report-origin.ts'
import type { TransportContext } from '../transport-context.ts'
import { BodyReader } from './body-reader.ts'
import { ChunkFramer } from './chunk-framer.ts'
import { Deadlines, type Ending } from './deadlines.ts'
import { ForwardedPolls } from './forwarded-polls.ts'
import type { HttpExchange } from './http-exchange.ts'
import { type HttpTransportOptions, withDefaults } from './http-transport-options.ts'
import { Http1Exchange } from './http1-exchange.ts'
import { Http2Exchange } from './http2-exchange.ts'
import { KeepAlives } from './keep-alives.ts'
import { OneWayFormats } from './one-way-format.ts'
import type { ConnectionOwner } from './other-nodes.ts'
import { PollEndpoint } from './poll.ts'
import { refuse } from './refusal.ts'
import type { ResponseConnection } from './response-connection.ts'
import { serveSend, takeSend } from './send.ts'
import { SplitConnections } from './split-connections.ts'
import { serveOneWaySse, serveSse } from './sse.ts'
import { serveStream } from './stream.ts'

/** A request as `node:http` or as `node:http2` in its compatibility form gives it: one port serves both. */
export type HttpRequest = IncomingMessage | Http2ServerRequest
export type HttpResponse = ServerResponse | Http2ServerResponse

export interface HttpTransports {
  /** Takes a request of `node:http` or `node:http2`. False: its path is none of these, and it is still to be answered. */
  handle(request: HttpRequest, response: HttpResponse): boolean
  /** For requests of this node's connections that have come to other nodes. */
  readonly owner: ConnectionOwner
  /** Requests of other nodes that were taken, by transport. */
  readonly takenFromOthers: Readonly<Record<'sse' | 'stream' | 'poll', number>>
  /** Ends what has taken too long and sends keep-alives. To be called about once a second, with the time of `now`. */
  tick(now: number): void
  /** Ends all connections; requests that come later are refused. Idempotent. */
  close(): void
}

interface Endpoint {
  readonly method: 'GET' | 'POST'
  /** Turned on when one of these is. */
  readonly transports: readonly TransportName[]
  /** Throws, or rejects with, a {@link FusewireError} to be answered. */
  serve(exchange: HttpExchange): void | Promise<void>
}

/** The ways in that need nothing but HTTP: SSE, HTTP streaming and long polling, with their numbered upstream. */
export const createHttpTransports = (context: TransportContext, options: HttpTransportOptions): HttpTransports => {
  const settings = withDefaults(options)
  const { limits, traffic } = context
  const { now, maxBodyBytes, others } = settings
  const bodies = new BodyReader({ maxMessageBytes: limits.maxMessageBytes, maxBodyBytes, bodyTimeoutMs: settings.bodyTimeoutMs })
  const splits = new SplitConnections(settings.node)
  const splitLimits = { maxDepth: limits.maxDepth, maxHeld: settings.maxHeldRequests, maxHeldBytes: maxBodyBytes }
  const keepAlives = new KeepAlives(settings.keepAliveIntervalMs)
  const endings = new Deadlines<Ending>(settings.closeTimeoutMs, (exchange) => exchange.destroy())
  const live = new DenseSet<ResponseConnection>()
  const responses = { context, keepAlives, endings, live, splits, splitLimits, now }
  const oneWay = { ...responses, formats: new OneWayFormats(), retryMs: settings.retryMs }
  const polls = new PollEndpoint({ context, times: settings, endings, now, bodies, splits, splitLimits, others })
  const sending = { context, bodies, splits, others, now }
  const forwarded = new ForwardedPolls(settings.confirmTimeoutMs, now)
  const takenFromOthers = { sse: 0, stream: 0, poll: 0 }
  const framer = new ChunkFramer()
  let closed = false

  const endpoints = new Map<string, Endpoint>([
    [
      PATHS.sse,
      {
        method: 'GET',
        transports: ['sse'],
        serve: (exchange) => (exchange.query.has('channel') ? serveOneWaySse(exchange, oneWay) : serveSse(exchange, responses)),
      },
    ],
    [PATHS.stream, { method: 'POST', transports: ['stream'], serve: (exchange) => serveStream(exchange, responses) }],
    [PATHS.poll, { method: 'POST', transports: ['poll'], serve: (exchange) => polls.serve(exchange) }],
    [
      PATHS.send,
      {
        method: 'POST',
        transports: ['sse', 'stream', 'poll'],
        serve: (exchange) => serveSend(exchange, sending),
      },
    ],
  ])

  /** Answers a request that never became a connection. */
  const refuseRequest = (exchange: HttpExchange, endpoint: Endpoint, cause: unknown): void => {
    const error = cause instanceof FusewireError ? cause : new FusewireError('internal_error', undefined, { cause })
    if (error !== cause) context.log('http_transport_failed', { error: cause })
    const [first, ...others] = endpoint.transports
    const transport = others.length === 0 ? first : undefined
    if (transport) traffic[transport].refused++
    const { headers, remoteAddress } = exchange
    if (error.code === 'origin_not_allowed') reportOrigin(context, { origin: headers.origin, transport, remoteAddress })
    refuse(exchange, error, error.code === 'method_not_allowed' ? { allow: allowOf(endpoint) } : {})
  }

  const serve = async (exchange: HttpExchange, endpoint: Endpoint): Promise<void> => {
    const { origin } = exchange.headers
    if (!endpoint.transports.some((transport) => settings.transports.includes(transport)))
      throw new FusewireError('unsupported_transport')
    if (!context.isOriginAllowed(origin, exchange.host)) throw new FusewireError('origin_not_allowed')
    exchange.commonHeaders = corsHeaders(origin)
    if (exchange.method === 'OPTIONS') {
      exchange.answer(204, { allow: allowOf(endpoint), ...preflightHeaders(endpoint.method) })
      return
    }
    if (exchange.method !== endpoint.method) throw new FusewireError('method_not_allowed')
    assertOpen()
    await endpoint.serve(exchange)
  }

  const assertOpen = (): void => {
    if (closed) throw new FusewireError('server_draining')
  }

  const owner: ConnectionOwner = {
    send: (request) => {
      assertOpen()
      const transport = takeSend(request, sending)
      if (transport in takenFromOthers) takenFromOthers[transport as keyof typeof takenFromOthers]++
    },
    poll: (connection, poll) => {
      assertOpen()
      const answer = forwarded.open(poll, (exchange) => polls.take(connection, exchange))
      takenFromOthers.poll++
      return answer
    },
    ended: (poll, complete) => forwarded.end(poll, complete),
    lost: (prefix) => forwarded.endAll(prefix),
  }

  return {
    owner,
    takenFromOthers,
    handle: (request, response) => {
      const endpoint = endpoints.get(pathOf(request.url ?? ''))
      if (!endpoint) return false
      const exchange =
        response instanceof ServerResponse
          ? new Http1Exchange(request as IncomingMessage, response, framer)
          : new Http2Exchange(request as Http2ServerRequest)
      exchange.remoteAddress = context.clientAddress(exchange.socketAddress, exchange.headers['x-forwarded-for'])
      serve(exchange, endpoint).catch((error: unknown) => refuseRequest(exchange, endpoint, error))
      return true
    },
    tick: (time) => {
      bodies.tick(time)
      endings.sweep(time)
      keepAlives.tick(time)
      polls.tick()
      forwarded.tick(time)
    },
    close: () => {
      if (closed) return
      closed = true
      for (const connection of [...live.members]) connection.close('server_draining', ERRORS.server_draining.help)
      polls.close()
      setTimeout(() => endings.sweep(Number.POSITIVE_INFINITY), settings.closeTimeoutMs).unref()
    },
  }
}

const allowOf = ({ method }: Endpoint): string => `${method}, OPTIONS`

const pathOf = (url: string): string => {
  const mark = url.indexOf('?')
  return mark < 0 ? url : url.slice(0, mark)
}
