import { TokenBucket } from '@fusewire/engine'

/**
 * How often each address does something, in a second, in the long run, and twice as often at once. An address is remembered until it
 * could use a fresh bucket.
 */
export class AddressRate {
  readonly #perSecond: number
  readonly #groupOf: (address: string) => string | undefined
  readonly #buckets = new Map<string, TokenBucket>()

  /** `groupOf` says what counts as one address; undefined where it is not limited. */
  constructor(perSecond: number, groupOf: (address: string) => string | undefined) {
    this.#perSecond = perSecond
    this.#groupOf = groupOf
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#buckets.size
  }

  /** Counts one and answers 0, or answers with the milliseconds after which it will pass. */
  take(address: string, now: number): number {
    const group = this.#groupOf(address)
    if (group === undefined) return 0
    const bucket = this.#buckets.get(group) ?? new TokenBucket(this.#perSecond, 2 * this.#perSecond, now)
    this.#buckets.set(group, bucket)
    return bucket.take(1, now)
  }

  /** Forgets addresses that are at rest. To be called every few seconds. */
  sweep(now: number): void {
    for (const [group, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(group)
  }
}
