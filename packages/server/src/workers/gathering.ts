import { mergeMetrics, type ProcessMetrics } from './merge-metrics.ts'

/** How long a worker may take to tell its metrics; those of one that does not are left out. */
const DEADLINE_MS = 2000

/** One scrape of all processes that is under way. */
interface Gathering {
  readonly awaited: Set<number>
  readonly found: ProcessMetrics[]
  readonly settle: () => void
}

/** Asks several workers for their metrics at once. */
export class Gatherings {
  readonly #running = new Map<number, Gathering>()
  #last = 0

  /** `ask` is called for each of the workers; `own` are the metrics of this process. Never rejects. */
  async gather(workers: readonly number[], ask: (worker: number, question: number) => void, own: string): Promise<string> {
    const question = ++this.#last
    const found: ProcessMetrics[] = []
    await new Promise<void>((settle) => {
      const deadline = setTimeout(settle, DEADLINE_MS)
      const done = (): void => {
        clearTimeout(deadline)
        settle()
      }
      this.#running.set(question, { awaited: new Set(workers), found, settle: done })
      if (workers.length === 0) done()
      for (const worker of workers) ask(worker, question)
    })
    this.#running.delete(question)
    found.sort((a, b) => Number(a.worker) - Number(b.worker))
    return mergeMetrics([...found, { worker: 'primary', text: own }])
  }

  /** A worker has answered. */
  collected(worker: number, question: number, text: string): void {
    const gathering = this.#running.get(question)
    if (!gathering?.awaited.delete(worker)) return
    gathering.found.push({ worker: String(worker), text })
    if (gathering.awaited.size === 0) gathering.settle()
  }

  /** A worker will answer nothing any more. */
  gone(worker: number): void {
    for (const gathering of this.#running.values())
      if (gathering.awaited.delete(worker) && gathering.awaited.size === 0) gathering.settle()
  }
}
