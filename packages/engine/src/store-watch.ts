import { ERRORS, FusewireError } from '@fusewire/protocol'
import type { Log } from './log.ts'
import type { Awaitable } from './ports/broker.ts'
import type { Counters } from './stats.ts'

export interface StoreWatchPorts {
  readonly now: () => number
  readonly counters: Counters
  readonly log: Log
}

/** How the store of sessions answers: an outage is counted call by call, and logged once. */
export class StoreWatch {
  readonly #ports: StoreWatchPorts
  #isAway = false
  /** When sessions last could not be refreshed, or the clock leaped; nothing is known of the time before the beginning. */
  #disturbedAt: number

  constructor(ports: StoreWatchPorts) {
    this.#ports = ports
    this.#disturbedAt = ports.now()
  }

  get isAway(): boolean {
    return this.#isAway
  }

  /** For how long sessions could be refreshed, as far as is known here, in milliseconds. */
  get calmMs(): number {
    return this.#ports.now() - this.#disturbedAt
  }

  /** From now on `calmMs` is counted anew. */
  disturbed(): void {
    this.#disturbedAt = this.#ports.now()
  }

  /** Rejects as the call does. */
  async call<T>(work: () => Awaitable<T>): Promise<T> {
    try {
      const answer = await work()
      if (this.#isAway) this.#ports.log('session_store_back', {})
      this.#isAway = false
      return answer
    } catch (error) {
      this.#ports.counters.sessionStoreFailures++
      if (isFinal(error)) throw error
      if (!this.#isAway) this.#ports.log('session_store_away', { error })
      this.#isAway = true
      throw error
    }
  }

  /** Answers with nothing where the call is refused: it is to be tried again. */
  async attempt<T>(work: () => Awaitable<T>): Promise<T | undefined> {
    try {
      return await this.call(work)
    } catch {
      return undefined
    }
  }

  /**
   * The same for a call that tells whether sessions can be refreshed: where it is refused, `calmMs` is counted anew. A store that is full
   * refuses others as well, and there it is sweeping that makes room.
   */
  async probe<T>(work: () => Awaitable<T>): Promise<T | undefined> {
    try {
      return await this.call(work)
    } catch (error) {
      if (!isFinal(error)) this.disturbed()
      return undefined
    }
  }
}

/** Whether the same call will never be taken, as opposed to one that can be tried again. */
export const isFinal = (error: unknown): error is FusewireError => error instanceof FusewireError && !ERRORS[error.code].retryable
