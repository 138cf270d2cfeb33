import { DenseSet, NO_PLACE, type Placed } from './dense-set.ts'

/** Something with a deadline, which may be moved or dropped at any time. It can be in one wheel at a time. */
export interface Timed {
  /** What it waits for: the wheel's alone. */
  wait?: Wait | undefined
  /** Called at its deadline or shortly after, never before. Returns the next deadline, or undefined to leave the wheel. MUST NOT throw. */
  due(now: number): number | undefined
}

/** An item in the slot of its deadline. */
export interface Wait extends Placed {
  readonly item: Timed
  readonly deadline: number
  readonly slot: Slot
}

type Slot = DenseSet<Wait>

/**
 * A hashed timing wheel (Varghese and Lauck, 1987) for the heartbeats and TTLs of many thousand connections: one timer for all of
 * them, and O(1) for each. Deadlines are milliseconds since the epoch and are kept to the length of one slot, never early.
 */
export class TimerWheel {
  readonly #slots: Slot[]
  readonly #slotMs: number
  #size = 0
  #cursor: number

  constructor(now: number, slotMs = 250, slots = 512) {
    this.#slotMs = slotMs
    this.#slots = Array.from({ length: slots }, (): Slot => new DenseSet())
    this.#cursor = Math.floor(now / slotMs)
  }

  get size(): number {
    return this.#size
  }

  /** Adds an item, or moves it to a new deadline. One further away than the wheel is long waits in the last slot for another round. */
  schedule(item: Timed, deadline: number): void {
    this.cancel(item)
    const wanted = Math.ceil(deadline / this.#slotMs)
    const last = this.#cursor + this.#slots.length - 1
    const slot = this.#slotAt(Math.min(Math.max(wanted, this.#cursor + 1), last))
    const wait: Wait = { item, deadline, slot, place: NO_PLACE }
    slot.add(wait)
    item.wait = wait
    this.#size++
  }

  /** Moves an item to this deadline unless it waits for a sooner one: cheaper, for one that is told of a later deadline when it is called. */
  hasten(item: Timed, deadline: number): void {
    if (!item.wait || deadline < item.wait.deadline) this.schedule(item, deadline)
  }

  cancel(item: Timed): void {
    const { wait } = item
    if (!wait) return
    wait.slot.delete(wait)
    item.wait = undefined
    this.#size--
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
      this.#look([...this.#slotAt(this.#cursor).members], now)
    }
  }

  /** The clock went back, or further ahead than the wheel is long: no slot tells any more how far its items are. */
  #turnAround(target: number, now: number): void {
    this.#cursor = target
    this.#look(
      this.#slots.flatMap(({ members }) => members),
      now,
    )
  }

  #look(waits: readonly Wait[], now: number): void {
    for (const wait of waits) {
      const { item, deadline } = wait
      // One that was called before it may have moved or dropped it.
      if (item.wait !== wait) continue
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
