import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

const START = 1_767_225_600_000

/** Keeps every gain and every cost, and adds them up from the beginning each time. */
class NaiveBucket {
  readonly #perSecond: bigint
  readonly #burst: bigint
  readonly #events: { readonly gainedMs: bigint; readonly cost: bigint }[] = []
  #seenAt = START

  constructor(perSecond: number, burst: number) {
    this.#perSecond = BigInt(perSecond)
    this.#burst = BigInt(burst)
  }

  /** Thousandths of a token after the last event. */
  get tokens(): bigint {
    const full = this.#burst * 1000n
    return this.#events.reduce((tokens, { gainedMs, cost }) => {
      const filled = tokens + gainedMs * this.#perSecond
      return (filled > full ? full : filled) - cost * 1000n
    }, full)
  }

  take(cost: number, now: number): boolean {
    this.#pass(now)
    const wanted = BigInt(cost) > this.#burst ? this.#burst : BigInt(cost)
    if (wanted * 1000n > this.tokens) return false
    this.#events.push({ gainedMs: 0n, cost: wanted })
    return true
  }

  #pass(now: number): void {
    this.#events.push({ gainedMs: BigInt(Math.max(0, now - this.#seenAt)), cost: 0n })
    this.#seenAt = now
  }
}

describe('TokenBucket', () => {
  it('gives its burst at once, then what it gains', () => {
    const bucket = new TokenBucket(10, 3, START)
    expect([1, 1, 1].map((cost) => bucket.take(cost, START))).toEqual([0, 0, 0])
    expect(bucket.take(1, START)).toBe(100)
    expect(bucket.take(1, START + 99)).toBe(1)
    expect(bucket.take(1, START + 100)).toBe(0)
    expect(bucket.take(1, START + 100)).toBe(100)
  })

  it('holds no more than its burst, however long nothing is taken', () => {
    const bucket = new TokenBucket(10, 3, START)
    bucket.take(3, START)
    expect(bucket.isFull(START + 299)).toBe(false)
    expect(bucket.isFull(START + 300)).toBe(true)
    expect(bucket.take(3, START + 86_400_000)).toBe(0)
    expect(bucket.take(1, START + 86_400_000)).toBe(100)
  })

  it('lets what is larger than the burst pass when it is full', () => {
    const bucket = new TokenBucket(10, 3, START)
    expect(bucket.take(100, START)).toBe(0)
    expect(bucket.take(100, START + 299)).toBe(1)
    expect(bucket.take(100, START + 300)).toBe(0)
  })

  it('goes on when the clock was set back', () => {
    const bucket = new TokenBucket(10, 1, START)
    bucket.take(1, START)
    expect(bucket.take(1, START - 3_600_000)).toBe(100)
    expect(bucket.take(1, START - 3_600_000 + 100)).toBe(0)
  })

  const rate = fc.integer({ min: 1, max: 10_000 })
  const steps = fc.array(fc.record({ ms: fc.integer({ min: -50, max: 2000 }), cost: fc.nat(300) }), {
    maxLength: 60,
  })

  it('gives exactly what a model does that keeps every event', () => {
    fc.assert(
      fc.property(rate, fc.integer({ min: 1, max: 200 }), steps, (perSecond, burst, taken) => {
        const bucket = new TokenBucket(perSecond, burst, START)
        const model = new NaiveBucket(perSecond, burst)
        let now = START
        for (const { ms, cost } of taken) {
          now += ms
          expect(bucket.take(cost, now) === 0).toBe(model.take(cost, now))
          expect(bucket.isFull(now)).toBe(model.tokens === BigInt(burst) * 1000n)
        }
      }),
    )
  })

  it('says to the millisecond when what it refuses will pass', () => {
    fc.assert(
      fc.property(rate, fc.integer({ min: 1, max: 200 }), steps, (perSecond, burst, taken) => {
        const bucket = new TokenBucket(perSecond, burst, START)
        let now = START
        for (const { ms, cost } of taken) {
          now += Math.max(0, ms)
          const waitMs = bucket.take(cost, now)
          if (waitMs === 0) continue
          expect(bucket.take(cost, now + waitMs - 1)).toBeGreaterThan(0)
          now += waitMs
          expect(bucket.take(cost, now)).toBe(0)
        }
      }),
    )
  })
})
