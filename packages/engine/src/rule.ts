import type { Access } from './access.ts'

/**
 * `stream`: everything after the position, or `recovered: false`; `latest`: the newest publication alone, which makes up for all
 * before it; `none`: nothing, and `recovered: false`.
 */
export type RecoveryMode = 'stream' | 'latest' | 'none'

/**
 * `disconnect`: the connection is ended when more than `maxBufferedBytes` wait, and recovers. `latest`: while the client is behind,
 * a publication takes the place of the one before that still waits.
 */
export type SlowConsumerPolicy = 'disconnect' | 'latest'

/** The options of the channels that match a pattern. The first matching rule decides. */
export interface ChannelRule {
  /** Publications kept for recovery and history. 0 turns history off. Default 100. */
  readonly historySize: number
  /** How long they are kept, in milliseconds. Default 300,000 (5 minutes). */
  readonly historyTtlMs: number
  /** What they may take together, in bytes of JSON. Default 8,388,608 (8 MiB). */
  readonly historyBytes: number
  /** What a client that comes back with a position gets. Default `stream`. */
  readonly recovery: RecoveryMode
  /** Keep the document that the publications make: each replaces it, or patches it (RFC 7396). Default false. */
  readonly state: boolean
  /** How long a document is kept after its last change, in milliseconds. Default 604,800,000 (7 days). */
  readonly stateTtlMs: number
  /** Size of a document, in bytes of JSON. Default 1,048,576 (1 MiB). */
  readonly maxDocumentBytes: number
  /** What becomes of a client that reads slower than the channel publishes. Default `disconnect`. */
  readonly slowConsumer: SlowConsumerPolicy
  /** With `slowConsumer` `latest`: publications with the same value of this tag replace one another. Default: all of the channel do. */
  readonly conflationTag?: string
  /** Keep who is subscribed, and tell `join` and `leave` to those who ask. Default false. */
  readonly presence: boolean
  /** Default `user`. */
  readonly subscribe: Access
  /** Default `nobody`: only capabilities, channel tokens and the API publish. */
  readonly publish: Access
  /** Default `user`. */
  readonly history: Access
  /** Default `user`. */
  readonly seePresence: Access
}

export const DEFAULT_RULE: ChannelRule = {
  historySize: 100,
  historyTtlMs: 300_000,
  historyBytes: 8_388_608,
  recovery: 'stream',
  state: false,
  stateTtlMs: 604_800_000,
  maxDocumentBytes: 1_048_576,
  slowConsumer: 'disconnect',
  presence: false,
  subscribe: 'user',
  publish: 'nobody',
  history: 'user',
  seePresence: 'user',
}

/** Everything open: the rule of channels without a rule in development mode. */
export const DEVELOPMENT_RULE: ChannelRule = {
  ...DEFAULT_RULE,
  presence: true,
  subscribe: 'anyone',
  publish: 'anyone',
  history: 'anyone',
  seePresence: 'anyone',
}
