/** The longest delay that setTimeout takes; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** One timer that can be set to another time at will. */
export class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined
  #at = Number.POSITIVE_INFINITY
  readonly #ring: () => void

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings at `at` (milliseconds since the epoch) and at no other time; never, when it is infinite. */
  set(at: number): void {
    this.clear()
    if (at === Number.POSITIVE_INFINITY) return
    this.#at = at
    const delay = Math.max(0, at - Date.now())
    this.#timer =
      delay > MAX_DELAY_MS
        ? setTimeout(() => this.set(at), MAX_DELAY_MS)
        : setTimeout(() => {
            this.clear()
            this.#ring()
          }, delay)
  }

  /** Rings at `at` unless it is set to ring sooner. */
  setNoLaterThan(at: number): void {
    if (at < this.#at) this.set(at)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#at = Number.POSITIVE_INFINITY
  }
}
