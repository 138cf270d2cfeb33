import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Awaitable } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { errorAnswer, refusalOf } from '../error-answer.ts'
import type { MessageLimits } from './api-limits.ts'
import { type ApiServer, createApiServer } from './api-server.ts'
import type { Application } from './application.ts'
import { assertApplication, type Entrance } from './caller.ts'
import { isOwnPath } from './known-paths.ts'
import { asRefusable, refusalHeaders } from './refusal.ts'
import { addChannelRoutes } from './routes/channel-routes.ts'
import { addCommandRoutes } from './routes/command-routes.ts'
import { addHealthRoutes } from './routes/health-routes.ts'
import { addNodeRoutes, type MetricsReader } from './routes/node-routes.ts'
import { addStateReadRoute, addStateWriteRoutes } from './routes/state-routes.ts'
import type { DrainAnswer, NodeInfo } from './schemas/answers.ts'

/** A handler for requests of node:http and of node:http2's compatibility API. */
export type HttpHandler = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => void

export interface ApiDependencies extends Entrance {
  readonly application: Application
  /** Has this node leave, or another one, if it does not already. Refuses with `not_found` when there is no such node. */
  readonly drain: (node?: string) => Awaitable<DrainAnswer>
  readonly limits: MessageLimits
  readonly info: () => NodeInfo
  /** What keeps this node from taking clients now, by error code; nothing when it is ready. */
  readonly readiness: () => readonly FusewireError[]
  /** Absent: there is no `/metrics`. */
  readonly metrics?: MetricsReader
  /** Gets the requests whose paths are not the server's. */
  readonly fallback?: HttpHandler
}

export interface Api {
  readonly handler: HttpHandler
  /** The OpenAPI document, as it is served. */
  readonly document: object
  /** From now on requests are refused with `server_draining`; those under way are answered. Idempotent. */
  close(): Promise<void>
}

const refuseDraining: HttpHandler = (_request, response) => {
  const error = new FusewireError('server_draining')
  const { status, body } = errorAnswer(error)
  response.statusCode = status
  response.setHeader('content-type', 'application/json; charset=utf-8')
  for (const [name, value] of Object.entries(refusalHeaders(error))) response.setHeader(name, value)
  response.end(body)
}

/** The HTTP API, health, metrics and OpenAPI document behind one request handler. It owns no port. */
export const createApi = async (dependencies: ApiDependencies): Promise<Api> => {
  const { application, drain, limits, info, readiness, metrics, fallback, log } = dependencies
  const failed = (cause: unknown, method: string, path: string) => log('api_request_failed', { method, path, error: cause })
  const refuse = (thrown: unknown) => {
    const error = asRefusable(thrown)
    if (error.code === 'internal_error') log('api_command_failed', { error: error.cause })
    return refusalOf(error)
  }

  const { app, handler } = await createApiServer({ maxMessageBytes: limits.maxMessageBytes, failed })
  await app.register(async (guarded: ApiServer) => {
    guarded.addHook('onRequest', ({ raw, routeOptions }, _reply, done) => {
      assertApplication(raw, dependencies, routeOptions.url)
      done()
    })
    addCommandRoutes(guarded, { application, limits, refuse })
    addChannelRoutes(guarded, application)
    await addStateWriteRoutes(guarded, application, limits)
    addNodeRoutes(guarded, { application, info, drain, metrics })
  })
  addStateReadRoute(app, application, dependencies)
  addHealthRoutes(app, readiness)
  let document = ''
  app.get('/v1/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(document),
  )
  await app.ready()
  document = JSON.stringify(app.swagger())

  // Fastify is typed for node:http here; it uses no more of request and response than node:http2's compatibility API has.
  const handle = handler() as HttpHandler
  let closing: Promise<void> | undefined
  return {
    document: app.swagger(),
    handler: (request, response) => {
      if (fallback && !isOwnPath(request.url ?? '/')) fallback(request, response)
      else if (closing) refuseDraining(request, response)
      else handle(request, response)
    },
    close: () => {
      closing ??= app.close()
      return closing
    },
  }
}
