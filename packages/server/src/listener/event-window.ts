/** Counts events in a sliding window of time; takes no memory before the first one. */
export class EventWindow {
  readonly #max: number
  readonly #windowMs: number
  readonly #times: number[] = []
  #next = 0

  constructor(max: number, windowMs: number) {
    this.#max = max
    this.#windowMs = windowMs
  }

  /** Counts one event; true when it is one more than `max` within the window. */
  exceeds(now: number): boolean {
    // The slot about to be overwritten holds the event `max` before this one.
    const earlier = this.#times[this.#next]
    this.#times[this.#next] = now
    this.#next = (this.#next + 1) % this.#max
    return earlier !== undefined && now - earlier < this.#windowMs
  }
}
