/** Something with a deadline. It decides itself whether it is still wanted, so that moving a deadline costs nothing. */
export interface Timed {
  /** Called at or shortly after its deadline. Returns the next one in milliseconds since the epoch, or undefined to leave the wheel. */
  due(now: number): number | undefined
}

/**
 * A hashed timing wheel (Varghese and Lauck, 1987) for the heartbeats and TTLs of many thousand connections: one timer for all of
 * them, and O(1) for each. Deadlines are kept to the length of one slot, never early.
 */
export class TimerWheel {
  readonly #slots: Set<Timed>[]
  readonly #slotMs: number
  readonly #places = new Map<Timed, Set<Timed>>()
  #cursor: number

  constructor(now: number, slotMs = 250, slots = 512) {
    this.#slotMs = slotMs
    this.#slots = Array.from({ length: slots }, () => new Set<Timed>())
    this.#cursor = Math.floor(now / slotMs)
  }

  get size(): number {
    return this.#places.size
  }

  /** Adds an item, or moves it to a new deadline. One further away than the wheel is long comes up early and is put back. */
  schedule(item: Timed, deadline: number): void {
    this.cancel(item)
    const wanted = Math.ceil(deadline / this.#slotMs)
    const last = this.#cursor + this.#slots.length - 1
    const slot = this.#slotAt(Math.min(Math.max(wanted, this.#cursor + 1), last))
    slot.add(item)
    this.#places.set(item, slot)
  }

  cancel(item: Timed): void {
    this.#places.get(item)?.delete(item)
    this.#places.delete(item)
  }

  /** Turns the wheel to `now` and calls what is due. A clock that went back, or far ahead, turns it once around at most. */
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

  /** After a jump of the clock no slot tells how far its items are: all of them are asked. */
  #turnAround(target: number, now: number): void {
    this.#cursor = target
    for (const item of [...this.#places.keys()]) this.#fire(item, now)
  }

  #empty(slot: Set<Timed>, now: number): void {
    for (const item of [...slot]) if (slot.has(item)) this.#fire(item, now)
  }

  #fire(item: Timed, now: number): void {
    this.cancel(item)
    const next = item.due(now)
    if (next !== undefined) this.schedule(item, next)
  }

  #slotAt(index: number): Set<Timed> {
    const slot = this.#slots[index % this.#slots.length]
    if (!slot) throw new RangeError('the wheel has no such slot')
    return slot
  }
}
