import { isOfNodesOwnClient } from '../nodes-own-client.ts'

/** When a soak is to come to its end: its time is over, Ctrl-C, or something was thrown that nobody has caught. */
export class Ending {
  readonly #beganAt = performance.now()
  readonly #early = new AbortController()
  readonly signal: AbortSignal
  /** What was thrown, the first of it. */
  crash: string | undefined

  constructor(durationMs: number) {
    this.signal = AbortSignal.any([this.#early.signal, AbortSignal.timeout(durationMs)])
    process.once('SIGINT', () => {
      console.log('Coming to the end. Ctrl-C again ends at once.')
      this.#early.abort()
      process.once('SIGINT', () => process.exit(1))
    })
    process.on('uncaughtException', (error) => {
      if (!isOfNodesOwnClient(error)) this.fail(error.stack ?? error.message)
    })
  }

  get isOver(): boolean {
    return this.signal.aborted
  }

  get passedMs(): number {
    return performance.now() - this.#beganAt
  }

  get passedSeconds(): number {
    return Math.round(this.passedMs / 1000)
  }

  fail(crash: string): void {
    this.crash ??= crash
    this.#early.abort()
  }
}
