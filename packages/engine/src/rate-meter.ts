import { TokenBucket } from './token-bucket.ts'

/** What a client may send. A session keeps its meter over all of its connections. */
export interface RateLimits {
  /** Messages a second, in the long run. Default 1,000. */
  readonly messagesPerSecond: number
  /** Messages at once, after a pause. Default 2,000. */
  readonly messagesBurst: number
  /** Bytes of messages a second, in the long run. Default 4,194,304 (4 MiB). */
  readonly bytesPerSecond: number
  /** Bytes at once, after a pause. Default 8,388,608 (8 MiB). */
  readonly bytesBurst: number
  /** Messages refused for the limits above, without a pause of the client, before its connection is ended. Default 1,000. */
  readonly maxRateLimited: number
}

/** A message too many. */
export interface Excess {
  readonly limit: 'messagesPerSecond' | 'bytesPerSecond'
  /** When the same message will pass. */
  readonly retryAfterMs: number
  /** The client has been told often enough, and goes on regardless. */
  readonly isIgnored: boolean
}

/** Measures what one client sends. */
export class RateMeter {
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket
  readonly #maxRefusals: number
  /** Since the client last paused for as long as it takes to have the whole burst again. */
  #refusals = 0

  constructor(limits: RateLimits, now: number) {
    this.#messages = new TokenBucket(limits.messagesPerSecond, limits.messagesBurst, now)
    this.#bytes = new TokenBucket(limits.bytesPerSecond, limits.bytesBurst, now)
    this.#maxRefusals = limits.maxRateLimited
  }

  /** Counts a message of this size; answers with the limit that it exceeds, if any. */
  count(bytes: number, now: number): Excess | undefined {
    if (this.#refusals > 0 && this.isAsNew(now)) this.#refusals = 0
    const messagesMs = this.#messages.take(1, now)
    if (messagesMs > 0) return this.#refuse('messagesPerSecond', messagesMs)
    const bytesMs = this.#bytes.take(bytes, now)
    return bytesMs > 0 ? this.#refuse('bytesPerSecond', bytesMs) : undefined
  }

  /** Whether another one in its place would count the same. */
  isAsNew(now: number): boolean {
    return this.#messages.isFull(now) && this.#bytes.isFull(now)
  }

  #refuse(limit: Excess['limit'], retryAfterMs: number): Excess {
    const isIgnored = ++this.#refusals > this.#maxRefusals
    // Its next connection is told as often.
    if (isIgnored) this.#refusals = 0
    return { limit, retryAfterMs, isIgnored }
  }
}
