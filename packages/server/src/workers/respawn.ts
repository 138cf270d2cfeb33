/** A worker that has served for so long had no trouble with its start. */
const STABLE_MS = 10_000
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 5000
/** Times that a worker may fail while none serves. */
const MAX_FAILURES = 5

/** How a worker has ended. */
export interface WorkerEnd {
  /** For how long it has served, in milliseconds; undefined when it never has. */
  readonly servedMs: number | undefined
  /** It has left by itself, as it was asked to. */
  readonly isClean: boolean
}

/** Decides when the worker of one place is started again: at once, unless it ends again and again soon after its start. */
export class Respawn {
  #failures = 0

  /** After how many milliseconds. */
  ended({ servedMs, isClean }: WorkerEnd): number {
    if (isClean || (servedMs !== undefined && servedMs >= STABLE_MS)) {
      this.#failures = 0
      return 0
    }
    this.#failures++
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failures - 1))
  }

  /** It has failed so often that it makes no sense to go on where no other worker serves. */
  get isHopeless(): boolean {
    return this.#failures >= MAX_FAILURES
  }
}
