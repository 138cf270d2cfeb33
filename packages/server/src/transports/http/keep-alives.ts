import { DenseSet, NO_PLACE, type Placed } from '@fusewire/engine'

/** Something that wants a few bytes sent now and then, so that proxies do not take its silence for its end. */
export interface KeptAlive {
  keepAlive(): void
}

interface Member extends Placed {
  readonly kept: KeptAlive
}

const SECOND_MS = 1000

/**
 * Asks each of its members for a keep-alive once an interval, a part of them every second: one clock for all connections, and never
 * all of them at once.
 */
export class KeepAlives {
  readonly #slots: DenseSet<Member>[]
  #nextSlot = 0
  #second: number | undefined

  constructor(intervalMs: number) {
    const seconds = Math.max(1, Math.round(intervalMs / SECOND_MS))
    this.#slots = Array.from({ length: seconds }, () => new DenseSet())
  }

  /** Returns what takes it out again. */
  add(kept: KeptAlive): () => void {
    const slot = this.#slots[this.#nextSlot++ % this.#slots.length] ?? new DenseSet()
    const member: Member = { kept, place: NO_PLACE }
    slot.add(member)
    return () => slot.delete(member)
  }

  /** To be called about once a second; seconds that were missed are made up for, one round of them at most. */
  tick(now: number): void {
    const second = Math.floor(now / SECOND_MS)
    const { length } = this.#slots
    const first = Math.max((this.#second ?? second - 1) + 1, second - length + 1)
    for (let at = first; at <= second; at++)
      for (const { kept } of [...(this.#slots[at % length]?.members ?? [])]) kept.keepAlive()
    this.#second = second
  }
}
