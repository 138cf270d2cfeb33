/** Something with a deadline, which may be moved or dropped at any time. */
export interface Timed {
  /** Called at its deadline or shortly after, never before. Returns the next deadline, or undefined to leave the wheel. MUST NOT throw. */
  due(now: number): number | undefined
}

/** Items by the deadlines that they wait for. */
type Slot = Map<Timed, number>

/**
 * A hashed timing wheel (Varghese and Lauck, 1987) for the heartbeats and TTLs of many thousand connections: one timer for all of
 * them, and O(1) for each. Deadlines are milliseconds since the epoch and are kept to the length of one slot, never early.
 */
export class TimerWheel {
  readonly #slots: Slot[]
  readonly #slotMs: number
  readonly #places = new Map<Timed, Slot>()
  #cursor: number

  constructor(now: number, slotMs = 250, slots = 512) {
    this.#slotMs = slotMs
    this.#slots = Array.from({ length: slots }, (): Slot => new Map())
    this.#cursor = Math.floor(now / slotMs)
  }

  get size(): number {
    return this.#places.size
  }

  /** Adds an item, or moves it to a new deadline. One further away than the wheel is long waits in the last slot for another round. */
  schedule(item: Timed, deadline: number): void {
    this.cancel(item)
    const wanted = Math.ceil(deadline / this.#slotMs)
    const last = this.#cursor + this.#slots.length - 1
    const slot = this.#slotAt(Math.min(Math.max(wanted, this.#cursor + 1), last))
    slot.set(item, deadline)
    this.#places.set(item, slot)
  }

  /** Moves an item to this deadline unless it waits for a sooner one: cheaper, for one that is told of a later deadline when it is called. */
  hasten(item: Timed, deadline: number): void {
    const waitsFor = this.#places.get(item)?.get(item)
    if (waitsFor === undefined || deadline < waitsFor) this.schedule(item, deadline)
  }

  cancel(item: Timed): void {
    this.#places.get(item)?.delete(item)
    this.#places.delete(item)
  }

  /** Turns the wheel to `now` and calls what is due. */
  advance(now: number): void {
    const target = Math.floor(now / this.#slotMs)
    const behind = target - this.#cursor
    if (behind < 0 || behind > this.#slots.length) {
      this.#turnAround(target, now)
      return
    }
    while (this.#cursor < target) {
      this.#cursor++
      this.#empty(this.#slotAt(this.#cursor), now)
    }
  }

  /** The clock went back, or further ahead than the wheel is long: no slot tells any more how far its items are. */
  #turnAround(target: number, now: number): void {
    this.#cursor = target
    for (const slot of new Set(this.#places.values())) this.#empty(slot, now)
  }

  #empty(slot: Slot, now: number): void {
    for (const [item, deadline] of [...slot]) {
      // One that was called before it may have moved or dropped it.
      if (slot.get(item) !== deadline) continue
      const next = deadline > now ? deadline : this.#call(item, now)
      if (next !== undefined) this.schedule(item, next)
    }
  }

  #call(item: Timed, now: number): number | undefined {
    this.cancel(item)
    return item.due(now)
  }

  #slotAt(index: number): Slot {
    const slot = this.#slots.at(index % this.#slots.length)
    if (!slot) throw new RangeError('the wheel has no such slot')
    return slot
  }
}
