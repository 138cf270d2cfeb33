import { FusewireError } from '@fusewire/protocol'
import { unavailable } from './nats-error.ts'
import type { NatsLink } from './nats-link.ts'

export interface LeaderWatchListener {
  away(problem: FusewireError): void
  back(): void
}

/**
 * Finds out that nobody takes what is written though the connection is well: the server that has the stream is gone, or of several that
 * keep copies too few are left to agree.
 */
export class LeaderWatch {
  readonly #link: Pick<NatsLink, 'isUp'>
  readonly #ask: () => Promise<unknown>
  readonly #listener: LeaderWatchListener
  #isAsking = false
  #problem: FusewireError | undefined

  /** `ask` rejects when no leader has answered for as long as a publication would wait for one. */
  constructor(link: Pick<NatsLink, 'isUp'>, ask: () => Promise<unknown>, listener: LeaderWatchListener) {
    this.#link = link
    this.#ask = ask
    this.#listener = listener
  }

  /** What every publication is refused for; undefined while there is a leader, as far as is known. */
  problem(): FusewireError | undefined {
    return this.#problem
  }

  /** Asks, where no question is under way. To be called about once a second while the connection is up. */
  sweep(): void {
    if (!this.#isAsking) void this.#look()
  }

  /** The connection has ended, for this reason: whether there is a leader is to be found out over the next one. */
  doubt(problem: FusewireError): void {
    this.#problem = problem
  }

  async #look(): Promise<void> {
    this.#isAsking = true
    try {
      await this.#ask()
      if (!this.#problem || !this.#link.isUp) return
      this.#problem = undefined
      this.#listener.back()
    } catch (error) {
      // Then that is the problem.
      if (!this.#link.isUp) return
      this.#problem = error instanceof FusewireError ? error : unavailable('NATS has nobody who leads the stream', error)
      this.#listener.away(this.#problem)
    } finally {
      this.#isAsking = false
    }
  }
}
