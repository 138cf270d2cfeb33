import { isTaskCancelledError, type TimeoutPolicy, TimeoutStrategy, timeout } from 'cockatiel'
import { HookFailure } from './hook-failure.ts'

/** Gives a call to the application its time. */
export class TimeLimit {
  readonly #ms: number
  readonly #policy: TimeoutPolicy

  constructor(ms: number) {
    this.#ms = ms
    // Whoever waits is answered on time, also when the work does not care that it should give up.
    this.#policy = timeout(ms, TimeoutStrategy.Aggressive).dangerouslyUnref()
  }

  /**
   * Runs the work until it is done, the time is over, or `closing` says so.
   * @throws HookFailure `timeout`
   */
  async run<T>(work: (signal: AbortSignal) => Promise<T>, closing: AbortSignal): Promise<T> {
    try {
      return await this.#policy.execute(({ signal }) => work(signal), closing)
    } catch (cause) {
      if (!isTaskCancelledError(cause)) throw cause
      throw new HookFailure('timeout', closing.aborted ? 'the server ends' : `no answer within ${this.#ms} ms`, { cause })
    }
  }
}
