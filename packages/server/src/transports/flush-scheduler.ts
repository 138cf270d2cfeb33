import { Batch } from './batch.ts'
import { emptyList } from './empty-list.ts'

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
  /** Takes the place of those that wait while they are flushed. Empty. */
  #next: Flushable[] = []
  /** The common beginning of this turn's batches. */
  readonly start = Batch.start()
  readonly #defer: (run: () => void) => void

  constructor(defer: (run: () => void) => void = setImmediate) {
    this.#defer = defer
  }

  add(flushable: Flushable): void {
    if (this.#waiting.push(flushable) === 1) this.#defer(this.#run)
  }

  readonly #run = (): void => {
    const waiting = this.#waiting
    this.#waiting = this.#next
    this.start.letGo()
    for (const flushable of waiting) flushable.flush()
    emptyList(waiting)
    this.#next = waiting
  }
}
