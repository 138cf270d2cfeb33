import { DEFAULT_RULE } from '@fusewire/engine'
import { z } from 'zod'
import { bytes, count, flag, milliseconds, OPTION_NOTES, text } from './option-notes.ts'

const ACCESS = ['anyone', 'user', 'owner', 'nobody'] as const

const access = (description: string, initial: (typeof ACCESS)[number]) => z.enum(ACCESS).default(initial).describe(description)

/** The options of one rule besides its pattern. */
const ruleOptions = {
  historySize: count('Publications kept for recovery and history. 0 turns history off.', {
    default: DEFAULT_RULE.historySize,
    min: 0,
    max: 1_000_000,
  }),
  historyTtlMs: milliseconds('How long they are kept.', {
    default: DEFAULT_RULE.historyTtlMs,
    min: 0,
    max: 2_592_000_000,
  }),
  historyBytes: bytes('What they may take together, in bytes of JSON.', {
    default: DEFAULT_RULE.historyBytes,
    min: 1024,
    max: 1_073_741_824,
  }),
  recovery: z
    .enum(['stream', 'latest', 'none'])
    .default(DEFAULT_RULE.recovery)
    .describe(
      'What a client that comes back gets: stream, everything that it has missed; latest, the newest publication alone; none.',
    ),
  state: flag(
    'Keep the document that the publications make: each replaces it, or patches it (RFC 7396). Needs recovery: stream.',
    DEFAULT_RULE.state,
  ),
  stateTtlMs: milliseconds('How long a document is kept after its last change.', {
    default: DEFAULT_RULE.stateTtlMs,
    max: 31_536_000_000,
  }),
  maxDocumentBytes: bytes('Size of a document at most, in bytes of JSON.', {
    default: DEFAULT_RULE.maxDocumentBytes,
    min: 256,
    max: 67_108_864,
  }),
  slowConsumer: z
    .enum(['disconnect', 'latest'])
    .default(DEFAULT_RULE.slowConsumer)
    .describe(
      'What becomes of a client that reads too slowly: disconnect, to recover later; latest, a newer publication replaces the one that waits. A state channel needs disconnect.',
    ),
  conflationTag: text('With latest: only publications with the same value of this tag replace one another.', {
    example: 'symbol',
  }),
  presence: flag('Keep who is subscribed, and tell join and leave to those who ask.', DEFAULT_RULE.presence),
  subscribe: access(
    'Who may subscribe: anyone; user, a client with a token; owner, the user whose id is the part after the last colon; nobody.',
    DEFAULT_RULE.subscribe,
  ),
  publish: access('Who may publish.', DEFAULT_RULE.publish),
  history: access('Who may read the history.', DEFAULT_RULE.history),
  seePresence: access('Who may see who is subscribed.', DEFAULT_RULE.seePresence),
}

export const ruleSchema = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(255, 'has at most 255 characters')
    .describe('Channels that the rule is for: * stands for one or more characters other than a colon, ** for any.'),
  ...ruleOptions,
})

/** A rule as it is written: a pattern, and what differs from the defaults. */
export type RuleInput = z.input<typeof ruleSchema>

/** A rule with every option. */
export type RuleOptions = z.output<typeof ruleSchema>

/** What channels allow. */
export const channelOptions = {
  rules: z
    .array(ruleSchema)
    .default([])
    .describe('Options of the channels that match a pattern. The first matching rule decides.')
    .register(OPTION_NOTES, { example: [{ pattern: 'chat:*', presence: true, publish: 'user' }] }),
}
