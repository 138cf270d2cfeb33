/** A call that waits for its slot. */
export interface SlotCall {
  /** Of two, the one that was made first has the smaller one. */
  readonly number: number
  /** Asks, and goes after the slot until its time is over. Settles when that is done: true when the first answer was it. Never rejects. */
  readonly insist: () => Promise<boolean>
  /** Asks at once. */
  readonly ask: () => void
}

/**
 * Keeps the order of calls while their slot moves to another master. Of those that were under way some are refused, and would be asked again
 * behind others that were made later. From the first that is refused on, all calls of the slot wait, in the order in which they were made,
 * and go one by one; once one of them is answered as if nothing had been, the others follow without waiting.
 */
export class MovingSlots {
  readonly #waiting = new Map<number, SlotCall[]>()

  has(slot: number): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(slot)
  }

  /** `passed` settles once all calls that are under way have been answered; it is called where the slot was not known to move. */
  add(slot: number, call: SlotCall, passed: () => Promise<void>): void {
    const waiting = this.#waiting.get(slot)
    if (!waiting) {
      const calls = [call]
      this.#waiting.set(slot, calls)
      void this.#follow(slot, calls, passed())
      return
    }
    // One that was refused stands before those that were made after it.
    let place = waiting.length
    while (place > 0 && (waiting[place - 1]?.number ?? 0) > call.number) place--
    waiting.splice(place, 0, call)
  }

  async #follow(slot: number, calls: SlotCall[], passed: Promise<void>): Promise<void> {
    await passed
    let isThere = false
    for (let call = calls.shift(); call; call = isThere ? undefined : calls.shift()) isThere = await call.insist()
    this.#waiting.delete(slot)
    for (const call of calls) call.ask()
  }
}
