import { setTimeout as delay } from 'node:timers/promises'

export interface EventuallyOptions {
  /** How long to try, in milliseconds. Default 15,000: for what hangs, and no measure of speed. */
  readonly timeoutMs?: number
  /** Time between two tries, in milliseconds. Default 5. */
  readonly intervalMs?: number
}

/**
 * Tries `check` until it neither throws nor answers `false`, and gives its answer. At the deadline it throws what `check` threw last.
 *
 * @example await eventually(() => expect(received).toEqual(sent))
 */
export const eventually = async <T>(check: () => T | false | Promise<T | false>, options: EventuallyOptions = {}): Promise<T> => {
  const { timeoutMs = 15_000, intervalMs = 5 } = options
  const deadline = performance.now() + timeoutMs
  for (;;) {
    let failure: unknown
    try {
      const answer = await check()
      if (answer !== false) return answer
      failure = new Error(`still false after ${timeoutMs} ms`)
    } catch (error) {
      failure = error
    }
    if (performance.now() >= deadline) throw failure
    await delay(intervalMs)
  }
}
