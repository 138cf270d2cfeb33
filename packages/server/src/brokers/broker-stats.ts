/** Upper bounds of the buckets in which answered calls are counted, in milliseconds; slower ones are in none. */
export const CALL_BOUNDS_MS = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000] as const

/** Calls of one kind, as far as the broker has answered them, and those that have come to nothing. */
export interface CallStats {
  readonly answered: number
  /** Refused by the broker, too late, or not sent because it is away. */
  readonly failed: number
  /** How long the answered ones have taken together, in milliseconds. */
  readonly totalMs: number
  /** For each bound of {@link CALL_BOUNDS_MS}, the answered ones up to it that were slower than the bound before. */
  readonly buckets: readonly number[]
}

/** How a node gets on with its broker. Counts only grow. */
export interface BrokerStats {
  /** `memory`, `redis`, `nats`, ... */
  readonly broker: string
  /** Whether it can be reached at the moment. */
  readonly isUp: boolean
  /** Times that it was away. */
  readonly outages: number
  /** Connections that were made again after they were lost. */
  readonly reconnects: number
  /** By what they are for. */
  readonly calls: ReadonlyMap<string, CallStats>
}

/** Of a broker within the process, which is never away. */
export const alwaysUp = (broker: string): BrokerStats => ({ broker, isUp: true, outages: 0, reconnects: 0, calls: new Map() })
