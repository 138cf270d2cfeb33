import { Batch } from './batch.ts'

/** What wants to be written at the end of this event-loop turn. */
export interface Flushable {
  flush(): void
}

/** Where a connection waits until it is flushed. */
export interface FlushQueue {
  /** The common beginning of batches that are begun now. */
  readonly start: Batch
  /** Flushes it once. */
  add(flushable: Flushable): void
}

/**
 * Gathers the connections that have something to write and flushes them once, after the turn's input has been handled
 * (`setImmediate` runs right after the poll phase), with one callback for all of them.
 */
export class FlushScheduler implements FlushQueue {
  #waiting: Flushable[] = []
  #start = Batch.start()
  readonly #defer: (run: () => void) => void

  constructor(defer: (run: () => void) => void = setImmediate) {
    this.#defer = defer
  }

  /** The common beginning of this turn's batches. */
  get start(): Batch {
    return this.#start
  }

  add(flushable: Flushable): void {
    if (this.#waiting.push(flushable) === 1) this.#defer(this.#run)
  }

  readonly #run = (): void => {
    const waiting = this.#waiting
    this.#waiting = []
    this.#start = Batch.start()
    for (const flushable of waiting) flushable.flush()
  }
}
