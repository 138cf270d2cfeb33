/** What one request may carry; the sizes of messages are options of the server. */
export const API_LIMITS = {
  /** Bytes of a broadcast or batch, which carry more than one message. */
  requestBytes: 1_048_576,
  channelsPerBroadcast: 1000,
  commandsPerBatch: 1000,
  /** Stars of a channel pattern: a pattern is tried on every channel of the node, and each star multiplies the ways to try. */
  wildcardsPerPattern: 4,
} as const

/** How large a message may be, the same for the API as for clients. */
export interface MessageLimits {
  readonly maxMessageBytes: number
  readonly maxDepth: number
}
