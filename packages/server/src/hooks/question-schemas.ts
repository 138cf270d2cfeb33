import type { Notices, Questions, UnsubscribeReason } from '@fusewire/engine'
import { z } from 'zod'

/*
 * What the application is asked and told, as it is documented and as the tests of both sides hold it. Nothing is checked against it at
 * run time: it is this server that writes it.
 */

const text = (what: string) => z.string().describe(what)
const time = (what: string) => z.int().describe(`${what}, in milliseconds since 1970`)

const stamp = {
  id: text('Unique; the same when it is asked or told again'),
  time: time('When it happened'),
}

const client = {
  session: text('Public id of the session; absent while there is none').exactOptional(),
  user: text('Who it is; absent when anonymous').exactOptional(),
  info: z.unknown().optional().describe('What the token says about it, for others to see'),
  transport: z.enum(['websocket', 'websocket-h2', 'sse', 'stream', 'poll', 'tcp']).describe('Way in of its last connection'),
  remoteAddress: text('Address of its last connection'),
  name: text('Of the client program, as it says itself').exactOptional(),
  version: text('Of the client program').exactOptional(),
}

const channel = text('Which one')
const uncheckedToken = text('When the server has no keys to check it with').exactOptional()
const position = z.strictObject({ epoch: z.string(), offset: z.int() })

const UNSUBSCRIBE_REASONS = Object.keys({
  unsubscribed: true,
  token_expired: true,
  token_revoked: true,
  disconnected: true,
  session_ended: true,
} satisfies Record<UnsubscribeReason, true>)

/** The questions, without what all of them have. */
export const QUESTION_FIELDS = {
  connect: { token: uncheckedToken },
  refresh: {
    channel: text('When it is the token of a subscription').exactOptional(),
    token: uncheckedToken,
    expiresAt: time('End of the newer token').exactOptional(),
  },
  subscribe: { channel },
  publish: {
    channel,
    data: z.unknown().describe('What is published'),
    tags: z.record(z.string(), z.string()).exactOptional().describe('Its labels'),
    key: text('Idempotency key').exactOptional(),
    patch: z.boolean().exactOptional().describe('True when `data` is a merge patch (RFC 7396)'),
    ifPosition: position.exactOptional().describe("Publish only if this is the channel's newest position"),
  },
  rpc: { method: text('Name of the function'), data: z.unknown().optional().describe('Its argument') },
} as const

/** The notices, without what all of them have. */
export const NOTICE_FIELDS = {
  disconnect: {
    reason: text('`expired`: no connection came back in time; otherwise a code of errors.md, `closed` when the client left'),
  },
  unsubscribe: {
    channel,
    reason: z.enum(UNSUBSCRIBE_REASONS).describe('Why'),
  },
  channel_occupied: { channel },
  channel_vacated: { channel },
} as const

const question = <const E extends string, Fields extends z.ZodRawShape>(event: E, fields: Fields) =>
  z.strictObject({ event: z.literal(event), ...stamp, ...client, ...fields })

/** What every question and every notice about a client has besides. */
export const COMMON_FIELDS = { ...stamp, ...client }

export const QUESTIONS: { readonly [E in keyof Questions]: z.ZodType<Questions[E]> } = {
  connect: question('connect', QUESTION_FIELDS.connect),
  refresh: question('refresh', QUESTION_FIELDS.refresh),
  subscribe: question('subscribe', QUESTION_FIELDS.subscribe),
  publish: question('publish', QUESTION_FIELDS.publish),
  rpc: question('rpc', QUESTION_FIELDS.rpc),
}

export const NOTICES: { readonly [E in keyof Notices]: z.ZodType<Omit<Notices[E], 'reason'>> } = {
  disconnect: question('disconnect', NOTICE_FIELDS.disconnect),
  unsubscribe: question('unsubscribe', NOTICE_FIELDS.unsubscribe),
  channel_occupied: z.strictObject({ event: z.literal('channel_occupied'), ...stamp, ...NOTICE_FIELDS.channel_occupied }),
  channel_vacated: z.strictObject({ event: z.literal('channel_vacated'), ...stamp, ...NOTICE_FIELDS.channel_vacated }),
}
