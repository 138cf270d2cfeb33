/** Sizes that both sides of the wire hold to. */
export const LIMITS = {
  /** UTF-16 code units of a channel name. */
  channelLength: 255,
  /** UTF-16 code units of a JWT or resume token. */
  tokenLength: 8192,
  /** Subscriptions that one `connect` may carry. */
  subscriptionsPerConnect: 1000,
  /** Tags of one publication or one filter. */
  tags: 16,
  /** UTF-16 code units of a tag's name, and of its value. */
  tagLength: 255,
  /** UTF-16 code units of an idempotency key. */
  keyLength: 128,
  /** UTF-16 code units of an rpc method. */
  methodLength: 128,
  /** Publications that one `history` answers with at most. */
  historyLimit: 1000,
  /** Arrays and objects inside one another that a codec writes; what a reader accepts is its own choice, and never more. */
  depth: 512,
} as const
