export interface UpstreamSequenceLimits {
  /** Numbers that may be ahead of the next one. */
  readonly maxHeld: number
  /** Size of the items that are held, together. */
  readonly maxHeldBytes: number
}

/**
 * Puts numbered requests back into their order. Parallel HTTP requests overtake one another, and a client that got no answer repeats
 * what it sent: early ones are held until their turn, repeated ones are known by their number.
 */
export class UpstreamSequence<T> {
  readonly #limits: UpstreamSequenceLimits
  readonly #held = new Map<number, { readonly item: T; readonly bytes: number }>()
  #heldBytes = 0
  #next = 1

  constructor(limits: UpstreamSequenceLimits) {
    this.#limits = limits
  }

  /**
   * Takes item number `seq` (from 1). Answers with the items whose turn has come, in order: none when this one is early. A number
   * that is `too_far` ahead changes nothing.
   */
  accept(seq: number, item: T, bytes: number): readonly T[] | 'duplicate' | 'too_far' {
    if (seq < this.#next || this.#held.has(seq)) return 'duplicate'
    if (seq > this.#next) return this.#hold(seq, item, bytes)
    const ready = [item]
    for (let held = this.#release(++this.#next); held; held = this.#release(++this.#next)) ready.push(held.item)
    return ready
  }

  #hold(seq: number, item: T, bytes: number): readonly T[] | 'too_far' {
    const { maxHeld, maxHeldBytes } = this.#limits
    if (seq - this.#next > maxHeld || this.#heldBytes + bytes > maxHeldBytes) return 'too_far'
    this.#held.set(seq, { item, bytes })
    this.#heldBytes += bytes
    return []
  }

  #release(seq: number): { readonly item: T } | undefined {
    const held = this.#held.get(seq)
    if (!held) return undefined
    this.#held.delete(seq)
    this.#heldBytes -= held.bytes
    return held
  }
}
