import type { Environment, Log } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { type BrokerStats, CALL_BOUNDS_MS } from './broker-stats.ts'

interface Calls {
  answered: number
  failed: number
  totalMs: number
  readonly buckets: number[]
}

/** Whether a broker outside of the process can be reached: for readiness, the log and the metrics. It is `starting` until it was reached. */
type Reach =
  | { readonly kind: 'starting' }
  | { readonly kind: 'up' }
  | { readonly kind: 'away'; readonly since: number; readonly error: FusewireError }

/** Keeps count of how a node gets on with a broker outside of it, and says once for each outage that it is away, and that it is back. */
export class BrokerHealth implements BrokerStats {
  readonly broker: string
  readonly calls = new Map<string, Calls>()
  outages = 0
  reconnects = 0
  readonly #environment: Pick<Environment, 'now'>
  readonly #log: Log
  #reach: Reach = { kind: 'starting' }

  constructor(broker: string, environment: Pick<Environment, 'now'>, log: Log) {
    this.broker = broker
    this.#environment = environment
    this.#log = log
  }

  get isUp(): boolean {
    return this.#reach.kind === 'up'
  }

  /** Why it cannot do its work at the moment; undefined while it can. */
  problem(): FusewireError | undefined {
    return this.#reach.kind === 'away' ? this.#reach.error : undefined
  }

  /** It cannot be reached any more. Idempotent; before it was reached the start fails instead. */
  away(error: unknown): void {
    if (this.#reach.kind !== 'up') return
    this.outages++
    this.#reach = { kind: 'away', since: this.#environment.now(), error: this.#problemOf(error) }
    this.#log('broker_away', { broker: this.broker, error })
  }

  /** It can be reached, for the first time or again. Idempotent. */
  back(): void {
    const before = this.#reach
    this.#reach = { kind: 'up' }
    if (before.kind === 'away') this.#log('broker_back', { broker: this.broker, awayMs: this.#environment.now() - before.since })
  }

  /** A call has been answered after this many milliseconds (`performance.now()` at its end and its beginning). */
  answered(call: string, ms: number): void {
    const calls = this.#callsOf(call)
    calls.answered++
    calls.totalMs += ms
    for (let bucket = 0; bucket < CALL_BOUNDS_MS.length; bucket++)
      if (ms <= (CALL_BOUNDS_MS[bucket] ?? 0)) {
        calls.buckets[bucket] = (calls.buckets[bucket] ?? 0) + 1
        return
      }
  }

  /** A call was refused, has had no answer in time, or was not sent because the broker is away. */
  failed(call: string): void {
    this.#callsOf(call).failed++
  }

  #problemOf(error: unknown): FusewireError {
    if (error instanceof FusewireError && error.code === 'broker_unavailable') return error
    return new FusewireError('broker_unavailable', `${this.broker} cannot be reached`, { cause: error })
  }

  #callsOf(call: string): Calls {
    let calls = this.calls.get(call)
    if (!calls) {
      calls = { answered: 0, failed: 0, totalMs: 0, buckets: CALL_BOUNDS_MS.map(() => 0) }
      this.calls.set(call, calls)
    }
    return calls
  }
}
