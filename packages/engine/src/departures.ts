/** Someone who is to leave. */
export interface Departing {
  /** Something that it has asked for is still under way. */
  readonly isBusy: boolean
  /** Tells it to come back elsewhere. */
  depart(): void
}

/**
 * Who is told to leave when: evenly over a window of time and in an order by chance, so that those who come back elsewhere do not
 * come together. Of n, number i (from 0) is told after i/n of the window; those who go by themselves, or come late, move the others.
 * Whoever waits for an answer is told after it.
 *
 *     staying ──its moment──▶ told
 *        │                      ▲
 *        └─its moment─▶ busy ───┘ answered
 */
export class Departures {
  readonly #random: () => number
  readonly #staying = new Set<Departing>()
  readonly #busy = new Set<Departing>()
  /** The last one is the next; those who are not staying any more are passed over. */
  readonly #order: Departing[] = []
  #nextAt: number
  #endAt = Number.POSITIVE_INFINITY

  constructor(random: () => number, now: number) {
    this.#random = random
    this.#nextAt = now
  }

  /** Those who have not been told yet. */
  get size(): number {
    return this.#staying.size + this.#busy.size
  }

  /** Gets a place in the order by chance. */
  add(departing: Departing): void {
    this.#staying.add(departing)
    const place = Math.floor(this.#random() * (this.#order.length + 1))
    const moved = this.#order[place]
    if (moved) this.#order.push(moved)
    this.#order[place] = departing
  }

  /** It has gone. */
  remove(departing: Departing): void {
    this.#staying.delete(departing)
    this.#busy.delete(departing)
  }

  /** All are to be told by then; a later time than was asked for before changes nothing. */
  endBy(time: number): void {
    this.#endAt = Math.min(this.#endAt, time)
    this.#nextAt = Math.min(this.#nextAt, this.#endAt)
  }

  /** Tells those whose moment has come. */
  advance(now: number): void {
    for (const departing of this.#busy) {
      if (departing.isBusy) continue
      this.#busy.delete(departing)
      departing.depart()
    }
    while (this.#staying.size > 0 && this.#nextAt <= now) {
      this.#nextAt += (this.#endAt - this.#nextAt) / this.#staying.size
      this.#tell(this.#next())
    }
  }

  #tell(departing: Departing | undefined): void {
    if (!departing) return
    this.#staying.delete(departing)
    if (departing.isBusy) this.#busy.add(departing)
    else departing.depart()
  }

  #next(): Departing | undefined {
    for (;;) {
      const next = this.#order.pop()
      if (!next || this.#staying.has(next)) return next
    }
  }
}
