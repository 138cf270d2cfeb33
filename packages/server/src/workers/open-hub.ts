import { type Environment, type Log, MemoryBroker } from '@fusewire/engine'
import { Hub } from '../brokers/hub/hub.ts'
import { presenceTtlOf } from '../brokers/presence-ttl.ts'
import { SnapshotBroker, type SnapshotStats } from '../brokers/snapshot-broker.ts'
import type { FusewireOptions } from '../config/options.ts'

const SWEEP_INTERVAL_MS = 1000

/** What all workers of a server share, in its primary. */
export interface OpenHub {
  readonly hub: Hub
  /** Absent where nothing is kept on disk. */
  readonly snapshots?: SnapshotStats
  /** With the last snapshot. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts the embedded broker that the workers share; undefined when they connect to one of their own.
 * @throws ConfigurationError when the snapshot cannot be used.
 */
export const openHub = async (options: FusewireOptions, environment: Environment, log: Log): Promise<OpenHub | undefined> => {
  const { idempotencyTtlMs, snapshotFile: file, snapshotIntervalMs: intervalMs, maxRevocations, sessionTtlMs } = options
  if (options.broker[0] !== 'memory') return undefined
  const memory = new MemoryBroker(environment, { idempotencyTtlMs })
  const broker = file === undefined ? memory : new SnapshotBroker(memory, environment, log, { file, intervalMs })
  const hub = new Hub(broker, environment, { maxRevocations, presenceTtlMs: presenceTtlOf(sessionTtlMs) })
  await hub.start()
  const timer = setInterval(() => {
    broker.sweep()
    hub.sweep()
  }, SWEEP_INTERVAL_MS)
  return {
    hub,
    ...(broker instanceof SnapshotBroker && { snapshots: broker.stats }),
    close: () => {
      clearInterval(timer)
      return hub.close()
    },
  }
}
