/** Tokens are counted in thousandths, so that a whole rate and whole milliseconds leave nothing to be rounded. */
const SCALE = 1000

/**
 * A token bucket (RFC 2697 section 3, colour-blind, with one bucket): holds `burst` tokens at most and gains `perSecond` of them a
 * second. Filled when it is looked at, so that it needs no timer, and takes nothing but the time that it is given.
 */
export class TokenBucket {
  readonly #perSecond: number
  readonly #capacity: number
  // Both begin as numbers, so that V8 keeps numbers in place; otherwise each that is no small integer takes 16 bytes anew.
  #tokens = 0
  #filledAt = 0

  /** Begins full. Both numbers are whole, and at least 1. */
  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond
    this.#capacity = burst * SCALE
    this.#tokens = this.#capacity
    this.#filledAt = now
  }

  /**
   * Takes `cost` tokens and answers 0, or takes none and answers with the milliseconds after which they will be there. A cost beyond
   * the whole burst is the whole burst: it passes when the bucket is full.
   */
  take(cost: number, now: number): number {
    this.#fill(now)
    const wanted = Math.min(cost * SCALE, this.#capacity)
    if (wanted > this.#tokens) return Math.ceil((wanted - this.#tokens) / this.#perSecond)
    this.#tokens -= wanted
    return 0
  }

  isFull(now: number): boolean {
    this.#fill(now)
    return this.#tokens === this.#capacity
  }

  /** A clock that was set back gives nothing, and takes nothing away. */
  #fill(now: number): void {
    const elapsedMs = Math.max(0, now - this.#filledAt)
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsedMs * this.#perSecond)
    this.#filledAt = now
  }
}
