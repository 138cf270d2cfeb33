import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import fastifySwagger from '@fastify/swagger'
import { ERRORS, type FusewireError } from '@fusewire/protocol'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { refusalOf } from '../error-answer.ts'
import { fieldError, issueWords, queryIssueWords } from './field-errors.ts'
import { givenPart, readBody, writeAnswer } from './json-body.ts'
import { KnownPaths } from './known-paths.ts'
import { openApiOptions } from './openapi.ts'
import { asRefusable, refusalHeaders } from './refusal.ts'
import { usual } from './schemas/usual.ts'

/** The Fastify instance that routes are added to. */
export type ApiServer = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

interface ApiServerOptions {
  readonly maxMessageBytes: number
  /** Called with what went wrong inside, never with a refusal. */
  readonly failed: (cause: unknown, method: string, path: string) => void
}

/** What is wrong as a whole, when it is not one field. */
const PARTS: Readonly<Record<string, string>> = { params: 'path', querystring: 'query' }

const sendRefusal = (reply: FastifyReply, error: FusewireError): FastifyReply => {
  // Fastify asks for `connection: close` after a body that it did not read to its end. Node drops it from an HTTP/2 answer, with
  // a warning; there the stream ends alone.
  if (reply.request.raw.httpVersionMajor === 2) reply.removeHeader('connection')
  return reply.code(ERRORS[error.code].httpStatus).headers(refusalHeaders(error)).send(refusalOf(error))
}

/**
 * Fastify without a port: whoever owns the port hands requests to `handler`, those of node:http and of node:http2's compatibility
 * API alike. Reading, checking and refusing is here; routes are added by others.
 */
export const createApiServer = async ({
  maxMessageBytes,
  failed,
}: ApiServerOptions): Promise<{ app: ApiServer; handler: () => RequestHandler }> => {
  let handler: RequestHandler | undefined
  const app: ApiServer = Fastify({
    serverFactory: (handle) => {
      handler = handle
      return createServer()
    },
    bodyLimit: maxMessageBytes,
    // Its own answer has another body; the handler around this one refuses first.
    return503OnClosing: false,
    // A channel name of 255 UTF-16 code units has up to nine characters each in percent-encoding.
    routerOptions: { maxParamLength: 4096 },
    frameworkErrors: (error, _request, reply) => {
      sendRefusal(reply as FastifyReply, asRefusable(error))
    },
  }).withTypeProvider<ZodTypeProvider>()

  app.decorateRequest('bodyBytes', 0)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, readBody)

  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart = 'body' }) => {
    const error = httpPart === 'querystring' ? queryIssueWords : issueWords
    const { accepts } = usual.get(schema) ?? {}
    return (value) => {
      if (accepts?.(value)) return { value }
      const parsed = schema.safeParse(givenPart(value), { error })
      const issue = parsed.error?.issues[0]
      if (issue) return { error: fieldError(issue, PARTS[httpPart] ?? httpPart) }
      // Headers are checked, not replaced: the schema knows only some of them, and Fastify would copy them all at each look at one.
      return httpPart === 'headers' ? true : { value: parsed.data }
    }
  })
  // TypeScript holds answers to their schemas; checking them again would cost time and could turn a publish that was done into a 500.
  app.setSerializerCompiler(() => writeAnswer)
  app.setReplySerializer(writeAnswer)

  app.setErrorHandler(async (thrown, request, reply) => {
    // Not before the parser has read what came together with the head: a request that is malformed further on is answered as that.
    await undefined
    const error = asRefusable(thrown)
    // An aborted upload is thrown too, as the error of the request's stream; nothing is wrong with us then.
    if (error.code === 'internal_error' && thrown !== request.raw.errored) failed(error.cause, request.method, request.url)
    return sendRefusal(reply, error)
  })

  const paths = new KnownPaths()
  app.addHook('onRoute', ({ url, method }) => paths.add(url, method))
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    if (!request.is404) {
      done()
      return
    }
    // Here rather than in a not-found handler, which is called once the body has been read.
    const { error, allow } = paths.refuse(request.url)
    if (allow !== undefined) reply.header('allow', allow)
    throw error
  })

  await app.register(fastifySwagger, openApiOptions)
  return {
    app,
    handler: () => {
      if (!handler) throw new Error('Fastify has not asked for a server')
      return handler
    },
  }
}
