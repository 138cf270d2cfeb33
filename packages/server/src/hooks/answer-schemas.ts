import { type Answers, DENIAL_CODES, type DecidingEvent } from '@fusewire/engine'
import { LIMITS } from '@fusewire/protocol'
import { z } from 'zod'
import { capability, channelName, user } from '../auth/token-claims.ts'

/** A time that is written in seconds lies in January 1970. */
const MIN_TIME_MS = 100_000_000_000

/** Characters of the text that goes with a refusal. */
const MAX_MESSAGE_LENGTH = 256

const time = (what: string) =>
  z
    .int()
    .min(MIN_TIME_MS, 'must be in milliseconds since 1970, not seconds')
    .exactOptional()
    .describe(`${what}, in milliseconds since 1970`)

const info = (where: string) => z.unknown().optional().describe(`Shown to others ${where}`)

const tagText = z.string().max(LIMITS.tagLength)

const tags = z
  .record(tagText, tagText)
  .refine((given) => Object.keys(given).length <= LIMITS.tags, `must have at most ${LIMITS.tags} entries`)
  .exactOptional()
  .describe('Published in place of those of the client')

const allow = <Fields extends z.ZodRawShape>(fields: Fields) => z.strictObject({ decision: z.literal('allow'), ...fields })

const deny = <const E extends DecidingEvent>(event: E) =>
  z.strictObject({
    decision: z.literal('deny'),
    code: z.enum(DENIAL_CODES[event]).exactOptional().describe(`Default ${DENIAL_CODES[event][0]}`),
    message: z.string().max(MAX_MESSAGE_LENGTH).exactOptional().describe('For people; the client sees it'),
  })

/** The forms of every decision. Nothing else is an answer: a page that is not meant for us lets nobody in. */
export const DECISIONS = {
  connect: {
    allow: allow({
      user: user.exactOptional().describe('Who it is'),
      info: info('in presence and as the sender of publications'),
      expiresAt: time('When the connection ends unless its client refreshes'),
      capabilities: z.array(capability).exactOptional().describe('What it may do beyond the rules'),
      channels: z.array(channelName).exactOptional().describe('What it is subscribed to at once'),
    }),
    deny: deny('connect'),
  },
  refresh: {
    allow: allow({ info: info('from now on'), expiresAt: time('The new end') }),
    deny: deny('refresh'),
  },
  subscribe: {
    allow: allow({ info: info('in the presence of this channel'), expiresAt: time('When the subscription ends') }),
    deny: deny('subscribe'),
  },
  publish: {
    allow: allow({ data: z.unknown().optional().describe('Published in place of the data of the client'), tags }),
    skip: z.strictObject({ decision: z.literal('skip') }),
    deny: deny('publish'),
  },
  rpc: {
    allow: allow({ data: z.unknown().optional().describe('The result') }),
    deny: deny('rpc'),
  },
} as const

/** What an answer to each question may be. */
export const ANSWERS: { readonly [E in DecidingEvent]: z.ZodType<Answers[E]> } = {
  connect: z.discriminatedUnion('decision', [DECISIONS.connect.allow, DECISIONS.connect.deny]),
  refresh: z.discriminatedUnion('decision', [DECISIONS.refresh.allow, DECISIONS.refresh.deny]),
  subscribe: z.discriminatedUnion('decision', [DECISIONS.subscribe.allow, DECISIONS.subscribe.deny]),
  publish: z.discriminatedUnion('decision', [DECISIONS.publish.allow, DECISIONS.publish.skip, DECISIONS.publish.deny]),
  rpc: z.discriminatedUnion('decision', [DECISIONS.rpc.allow, DECISIONS.rpc.deny]),
}
