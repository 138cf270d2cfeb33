/**
 * Work that answers whoever has asked before it has begun. Those who ask while it is under way wait together for the next: what they
 * want to know may have happened after it has begun.
 */
export class SharedWait {
  readonly #work: () => Promise<void>
  #running: Promise<void> | undefined
  #queued: Promise<void> | undefined

  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  next(): Promise<void> {
    this.#queued ??= this.#next()
    return this.#queued
  }

  async #next(): Promise<void> {
    await this.#running?.catch(() => undefined)
    this.#queued = undefined
    const running = this.#work()
    this.#running = running
    try {
      await running
    } finally {
      if (this.#running === running) this.#running = undefined
    }
  }
}
