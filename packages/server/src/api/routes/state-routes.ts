import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type ChannelState, isTokenError, type PublicationDraft, type PublishRequest } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { corsHeaders, preflightHeaders } from '../../cors.ts'
import type { MessageLimits } from '../api-limits.ts'
import type { ApiServer } from '../api-server.ts'
import type { Application } from '../application.ts'
import { type Caller, callerOf, type Entrance } from '../caller.ts'
import { entityTag, isNamed, positionOfTag } from '../entity-tag.ts'
import { readBody } from '../json-body.ts'
import { draftOf, publishOptions } from '../publication-input.ts'
import { published, refusal, stateAnswer } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'
import { channel, data, key } from '../schemas/fields.ts'

const PATH = '/v1/channels/:channel/state'
const MERGE_PATCH = 'application/merge-patch+json'

const params = z.object({ channel })
const readHeaders = z.object({
  'if-none-match': z
    .string()
    .exactOptional()
    .register(documented, { description: 'An `ETag`: 304 when the document is still that one.' }),
})
const writeHeaders = z.object({
  'if-match': z
    .string()
    .exactOptional()
    .register(documented, { description: 'An `ETag`: 409 `conflict` unless the document is that one.' }),
  'idempotency-key': key.exactOptional(),
})

/** For clients too, and for pages of allowed origins: whoever may subscribe may read. */
export const addStateReadRoute = (app: ApiServer, application: Application, entrance: Entrance): void => {
  const readFor = async (caller: Caller, channel: string, request: IncomingMessage): Promise<ChannelState> => {
    if (caller.kind === 'application') return application.state(channel)
    const remoteAddress = entrance.clientAddress(request)
    entrance.admitReader(remoteAddress)
    try {
      return await application.stateFor(caller.token, channel)
    } catch (error) {
      if (error instanceof FusewireError && isTokenError(error))
        entrance.log('token_refused', { code: error.code, request: 'state', channel, remoteAddress })
      throw error
    }
  }

  app.get(
    PATH,
    {
      schema: {
        operationId: 'state',
        summary: "A channel's document",
        description:
          'For the application, and for clients that may subscribe, by their own token. A subscription `since` the position goes on exactly there.',
        tags: ['State'],
        params,
        headers: readHeaders,
        security: [{ bearer: [] }, { header: [] }, { token: [] }, {}],
        response: {
          200: stateAnswer,
          304: z.undefined().register(documented, { description: 'It is the one that `If-None-Match` names.' }),
          default: refusal,
        },
      },
    },
    async ({ raw, headers, params }, reply) => {
      const caller = callerOf(raw, entrance, PATH)
      reply.headers({ ...corsHeaders(headers.origin), 'access-control-expose-headers': 'etag, retry-after' })
      const { channel } = params
      const { position, document, time } = await readFor(caller, channel, raw)
      if (document === undefined || time === undefined) throw new FusewireError('not_found', `${channel} has no document`)
      const tag = entityTag(position)
      // Kept, but asked for each time: a token may have lost its rights, a document may have changed.
      reply.headers({ etag: tag, 'cache-control': 'no-cache' })
      return isNamed(headers['if-none-match'], tag) ? reply.code(304).send() : { position, document, time }
    },
  )

  app.options(PATH, { schema: { hide: true } }, async ({ raw, headers }, reply) => {
    const allow = 'GET, HEAD, OPTIONS'
    callerOf(raw, entrance, PATH)
    return reply
      .code(204)
      .headers({ ...corsHeaders(headers.origin), ...preflightHeaders('GET, HEAD'), allow })
      .send()
  })
}

/** For the application alone. */
export const addStateWriteRoutes = async (app: ApiServer, application: Application, limits: MessageLimits): Promise<void> => {
  const write = async (reply: FastifyReply, channel: string, draft: PublicationDraft, options: PublishRequest) => {
    application.assertKeepsState(channel)
    const { position, duplicate } = await application.publish(channel, draft, options)
    reply.header('etag', entityTag(position))
    return { position, duplicate }
  }
  const schema = { tags: ['State'], params, headers: writeHeaders, body: data, response: { 200: published, default: refusal } }

  app.put(
    PATH,
    {
      schema: { ...schema, operationId: 'replaceState', summary: 'Publish a whole document' },
    },
    ({ params: { channel }, headers, body }, reply) =>
      write(reply, channel, draftOf({ data: body }, channel, limits), optionsOf(headers)),
  )

  app.delete(
    PATH,
    {
      schema: {
        operationId: 'removeState',
        summary: 'Remove the document',
        description: 'Its history goes with it. The channel begins another epoch, and subscribers are told.',
        tags: ['State'],
        params,
        response: { 204: z.undefined().register(documented, { description: 'Done.' }), default: refusal },
      },
    },
    async ({ params: { channel } }, reply) => {
      if (!(await application.removeState(channel))) throw new FusewireError('not_found', `${channel} has no document`)
      return reply.code(204).send()
    },
  )

  // Its media type is taken nowhere else.
  await app.register(async (patches: ApiServer) => {
    patches.addContentTypeParser(MERGE_PATCH, { parseAs: 'buffer' }, readBody)
    patches.patch(
      PATH,
      {
        schema: {
          ...schema,
          operationId: 'patchState',
          summary: 'Publish a JSON merge patch of the document (RFC 7396)',
          consumes: [MERGE_PATCH, 'application/json'],
        },
      },
      ({ params: { channel }, headers, body }, reply) =>
        write(reply, channel, draftOf({ data: body, patch: true }, channel, limits), optionsOf(headers)),
    )
  })
}

const optionsOf = (headers: IncomingHttpHeaders): PublishRequest => {
  // RFC 9110 section 13.1: a precondition that cannot be evaluated must not be passed over.
  if (headers['if-none-match'] !== undefined) throw new FusewireError('invalid_field', 'If-None-Match has no meaning here')
  const idempotencyKey = headers['idempotency-key']
  return publishOptions({
    key: typeof idempotencyKey === 'string' ? idempotencyKey : undefined,
    ifPosition: headers['if-match'] === undefined ? undefined : positionOfTag(headers['if-match']),
  })
}
