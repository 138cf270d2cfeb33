import type { Samples } from '../frame/samples.ts'

/** When operations are due that come evenly, whatever becomes of those before them. */
export class Schedule {
  readonly #beginMs: number
  readonly #perMs: number
  #taken = 0

  /** So many operations a second from this time on, in milliseconds. */
  constructor(beginMs: number, perSecond: number) {
    this.#beginMs = beginMs
    this.#perMs = perSecond / 1000
  }

  /** The time at which the next operation was due, if that has come; undefined otherwise. */
  take(nowMs: number): number | undefined {
    const due = this.#beginMs + this.#taken / this.#perMs
    if (due > nowMs) return undefined
    this.#taken++
    return due
  }
}

/**
 * Latencies of operations whose answers come in their order. They are counted from when an operation was due, not from when it was
 * begun: one that had to wait because the server, or the load, was held up has waited too (coordinated omission).
 */
export class Latencies {
  readonly #taken: Samples
  readonly #due: number[] = []
  #first = 0

  /** @param taken Where each latency is put, in milliseconds. */
  constructor(taken: Samples) {
    this.#taken = taken
  }

  begin(dueMs: number): void {
    this.#due.push(dueMs)
  }

  /** Answers for the oldest operations. */
  answer(count: number, nowMs: number): void {
    for (let answered = 0; answered < count; answered++) {
      const due = this.#due[this.#first]
      if (due === undefined) throw new Error('an answer came that nothing had asked for')
      this.#first++
      this.#taken.add(nowMs - due)
    }
    if (this.#first === this.#due.length) {
      this.#due.length = 0
      this.#first = 0
    }
  }

  get pending(): number {
    return this.#due.length - this.#first
  }
}
