import type { TurnEnd } from './turn-end.ts'

/** Work on one channel, done in the order in which it was asked for. */
export type Work<Request> =
  | { readonly kind: 'publish'; readonly request: Request }
  /** Reads may be done together. */
  | { readonly kind: 'read'; readonly run: () => Promise<void> }
  | { readonly kind: 'task'; readonly run: () => Promise<void> }

export interface WorkQueueOptions {
  /** Publications in one step at most. */
  readonly maxBatch: number
  /** Of the event loop's turn, before which publications are not begun: others may come in it. */
  readonly turnEnd: TurnEnd
}

/**
 * Does the work of one channel: publications that wait together at the end of a turn are done in one step, reads that wait together at the
 * same time, and everything else alone. What is done MUST NOT reject.
 */
export class WorkQueue<Request> {
  #waiting: Work<Request>[] = []
  #isWorking = false
  readonly #publish: (requests: readonly Request[]) => Promise<void>
  readonly #maxBatch: number
  readonly #turnEnd: TurnEnd

  constructor(publish: (requests: readonly Request[]) => Promise<void>, { maxBatch, turnEnd }: WorkQueueOptions) {
    this.#publish = publish
    this.#maxBatch = maxBatch
    this.#turnEnd = turnEnd
  }

  get isIdle(): boolean {
    return !this.#isWorking
  }

  add(work: Work<Request>): void {
    this.#waiting.push(work)
    if (!this.#isWorking) void this.#work()
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    try {
      while (this.#waiting.length > 0) await this.#step()
    } finally {
      this.#isWorking = false
    }
  }

  async #step(): Promise<void> {
    const [first] = this.#waiting
    if (!first) return
    if (first.kind === 'task') {
      this.#waiting.shift()
      await first.run()
      return
    }
    if (first.kind === 'publish') await this.#turnEnd.wait()
    const end = this.#waiting.findIndex(({ kind }, index) => kind !== first.kind || index >= this.#maxBatch)
    const together = this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
    if (first.kind === 'read') await Promise.all(together.map((work) => work.kind === 'read' && work.run()))
    else await this.#publish(together.flatMap((work) => (work.kind === 'publish' ? [work.request] : [])))
  }
}
