import type { Environment } from '@fusewire/engine'

/**
 * The time of the NATS server. Ends are kept in it, so that a node whose clock is wrong neither ends the sessions of others nor keeps
 * its own for ever.
 */
export class ServerClock {
  readonly #environment: Pick<Environment, 'now'>
  #offset = 0

  constructor(environment: Pick<Environment, 'now'>) {
    this.#environment = environment
  }

  /** This node's own time. */
  get local(): number {
    return this.#environment.now()
  }

  /** In milliseconds since the epoch. */
  now(): number {
    return this.#environment.now() + this.#offset
  }

  /** What was sent and answered at these moments of {@link local} was kept by the server at `serverTime`. */
  observe(sentAt: number, answeredAt: number, serverTime: number): void {
    const earliest = serverTime - answeredAt
    const latest = serverTime - sentAt
    // As long as the last offset may be true it stays: it does not sway with the load.
    if (this.#offset < earliest || this.#offset > latest + 1) this.#offset = Math.round((earliest + latest) / 2)
  }
}
