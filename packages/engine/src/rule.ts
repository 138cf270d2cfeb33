import type { Access } from './access.ts'

/** The options of the channels that match a pattern. The first matching rule decides. */
export interface ChannelRule {
  /** Publications kept for recovery and history. 0 turns history off. Default 100. */
  readonly historySize: number
  /** How long they are kept, in milliseconds. Default 300,000 (5 minutes). */
  readonly historyTtlMs: number
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
