const FIRST_MS = 100
const LAST_MS = 5_000

/** How long to wait before the next try, in milliseconds: anywhere up to a limit that doubles (full jitter), so that nodes do not come all at once. */
export class Backoff {
  readonly #random: () => number
  #tries = 0

  constructor(random: () => number) {
    this.#random = random
  }

  next(): number {
    const limit = Math.min(LAST_MS, FIRST_MS * 2 ** this.#tries++)
    return Math.round(this.#random() * limit)
  }

  reset(): void {
    this.#tries = 0
  }
}
