import { RenewingMap } from '@fusewire/engine'

/** A response that has ended, and may still be on its way to the client. */
export interface Ending {
  destroy(): void
}

/**
 * Things that may take so long and no longer. All of one kind have the same time, so those that started first are due first and a
 * sweep looks at nothing else: no timer each.
 */
export class Deadlines<T> {
  readonly #started = new RenewingMap<T, number>()
  readonly #timeoutMs: number
  readonly #expire: (item: T) => void

  constructor(timeoutMs: number, expire: (item: T) => void) {
    this.#timeoutMs = timeoutMs
    this.#expire = expire
  }

  start(item: T, now: number): void {
    this.#started.delete(item)
    this.#started.set(item, now)
  }

  /** Does nothing when the item is not there. */
  stop(item: T): void {
    this.#started.delete(item)
  }

  sweep(now: number): void {
    for (const [item, started] of this.#started) {
      if (now - started < this.#timeoutMs) return
      if (this.#started.get(item) !== started) continue
      this.#started.delete(item)
      this.#expire(item)
    }
  }
}
