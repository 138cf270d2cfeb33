import type { HistoryQuery } from '@fusewire/engine'
import { FusewireError, LIMITS } from '@fusewire/protocol'
import { z } from 'zod'
import type { ApiServer } from '../api-server.ts'
import type { Application } from '../application.ts'
import { channelList, historyAnswer, presenceAnswer, presenceStats, refusal } from '../schemas/answers.ts'
import { documented } from '../schemas/documented.ts'
import { channel, pattern, queryFlag, queryInteger } from '../schemas/fields.ts'

const DEFAULT_HISTORY_LIMIT = 100

const params = z.object({ channel })

const historyQuery = z.strictObject({
  sinceEpoch: z
    .string()
    .min(1)
    .max(64)
    .exactOptional()
    .register(documented, { description: 'With `sinceOffset`: the position after which to start.' }),
  sinceOffset: queryInteger(Number.MAX_SAFE_INTEGER, 'With `sinceEpoch`.').exactOptional(),
  limit: queryInteger(LIMITS.historyLimit, `Publications at most. Default ${DEFAULT_HISTORY_LIMIT}.`).exactOptional(),
  reverse: queryFlag('Newest first.').exactOptional(),
})

const toHistoryQuery = ({ sinceEpoch, sinceOffset, limit, reverse }: z.output<typeof historyQuery>): HistoryQuery => {
  const query = { limit: limit ?? DEFAULT_HISTORY_LIMIT, reverse: reverse ?? false }
  if (sinceEpoch === undefined && sinceOffset === undefined) return query
  if (sinceEpoch === undefined) throw new FusewireError('invalid_field', 'sinceEpoch is missing: a position has both')
  if (sinceOffset === undefined) throw new FusewireError('invalid_field', 'sinceOffset is missing: a position has both')
  return { ...query, since: { epoch: sinceEpoch, offset: sinceOffset } }
}

/** What there is to know about channels. */
export const addChannelRoutes = (app: ApiServer, application: Application): void => {
  app.get(
    '/v1/channels',
    {
      schema: {
        operationId: 'channels',
        summary: 'Channels with subscribers',
        tags: ['Channels'],
        querystring: z.strictObject({ pattern: pattern.exactOptional() }),
        response: { 200: channelList, default: refusal },
      },
    },
    async ({ query }) => {
      const { channels, unreachable } = await application.channels(query.pattern)
      return { channels: [...channels], ...(unreachable && { unreachable: [...unreachable] }) }
    },
  )

  app.get(
    '/v1/channels/:channel/presence',
    {
      schema: {
        operationId: 'presence',
        summary: 'Who is in a channel',
        tags: ['Channels'],
        params,
        response: { 200: presenceAnswer, default: refusal },
      },
    },
    async ({ params }) => ({ members: [...(await application.presence(params.channel))] }),
  )

  app.get(
    '/v1/channels/:channel/presence/stats',
    {
      schema: {
        operationId: 'presenceStats',
        summary: 'How many are in a channel',
        tags: ['Channels'],
        params,
        response: { 200: presenceStats, default: refusal },
      },
    },
    async ({ params }) => application.presenceCount(params.channel),
  )

  app.get(
    '/v1/channels/:channel/history',
    {
      schema: {
        operationId: 'history',
        summary: 'What was published',
        tags: ['Channels'],
        params,
        querystring: historyQuery,
        response: { 200: historyAnswer, default: refusal },
      },
    },
    async ({ params, query }) => {
      const wanted = toHistoryQuery(query)
      const { position, publications, complete } = await application.history(params.channel, wanted)
      return { position, publications: [...publications], ...(wanted.since ? { recovered: complete } : {}) }
    },
  )

  app.delete(
    '/v1/channels/:channel/history',
    {
      schema: {
        operationId: 'clearHistory',
        summary: 'Forget what was published',
        description: 'Offsets go on: subscribers that miss some of it are told so.',
        tags: ['Channels'],
        params,
        response: { 204: z.undefined().register(documented, { description: 'Done.' }), default: refusal },
      },
    },
    async ({ params }, reply) => {
      await application.clearHistory(params.channel)
      return reply.code(204).send()
    },
  )
}
