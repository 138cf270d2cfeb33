import type { Log } from '@fusewire/engine'

/** Limits that are kept before anything reaches the engine, by the names of their options. */
export type ServerLimitName =
  | 'maxConnections'
  | 'maxConnectionsPerAddress'
  | 'handshakesPerSecond'
  | 'handshakesPerSecondPerAddress'
  | 'stateReadsPerSecondPerAddress'
  | 'handshakeTimeoutMs'
  | 'maxHeaderBytes'
  | 'http2MaxResets'
  | 'http2MaxSettings'
  | 'http2MaxPings'

/** A flood is a line in the log now and then, not a flood of lines. */
const LOG_INTERVAL_MS = 10_000

/** Counts what is refused or ended because it was beyond a limit. */
export class Refusals {
  readonly counts: Partial<Record<ServerLimitName, number>> = {}
  readonly #log: Log
  readonly #loggedAt = new Map<ServerLimitName, number>()

  constructor(log: Log) {
    this.#log = log
  }

  count(limit: ServerLimitName): void {
    this.counts[limit] = (this.counts[limit] ?? 0) + 1
  }

  /** Counts what nobody else writes into the log. */
  report(limit: ServerLimitName, remoteAddress: string | undefined, now: number): void {
    this.count(limit)
    const loggedAt = this.#loggedAt.get(limit)
    if (loggedAt !== undefined && now - loggedAt < LOG_INTERVAL_MS) return
    this.#loggedAt.set(limit, now)
    this.#log('limit_exceeded', { limit, remoteAddress, total: this.counts[limit] })
  }
}
