import { type Broker, type Environment, type Log, MemoryBroker, MemoryPresence, MemoryRevocations } from '@fusewire/engine'
import { ConfigurationError } from '../config/configuration-error.ts'
import type { FusewireOptions } from '../config/options.ts'
import type { Backend } from './backend.ts'
import { alwaysUp } from './broker-stats.ts'
import { SnapshotBroker } from './snapshot-broker.ts'

export interface BackendContext {
  /** Identifier of this process. */
  readonly node: string
  readonly environment: Environment
  readonly log: Log
}

/** Makes what the options name; `given` takes the place of the memory broker. Nothing is connected before the ports are started. */
export const openBackend = (options: FusewireOptions, context: BackendContext, given?: Broker): Backend => {
  const { environment, log } = context
  const { idempotencyTtlMs, snapshotFile: file, snapshotIntervalMs: intervalMs } = options
  const revocations = new MemoryRevocations(environment, options)
  const stores = { presence: new MemoryPresence(), revocations, problem: () => undefined }
  if (given) {
    if (file !== undefined)
      throw new ConfigurationError([{ option: 'snapshotFile', message: 'is for the memory broker; leave it out, or the broker' }])
    // It looks after itself.
    return { ...stores, stats: alwaysUp('given'), broker: given, sweep: () => revocations.sweep() }
  }
  const memory = new MemoryBroker(environment, { idempotencyTtlMs })
  const broker = file === undefined ? memory : new SnapshotBroker(memory, environment, log, { file, intervalMs })
  const sweep = (): void => {
    broker.sweep()
    revocations.sweep()
  }
  return {
    ...stores,
    stats: alwaysUp('memory'),
    broker,
    sweep,
    ...(broker instanceof SnapshotBroker && { snapshots: broker.stats }),
  }
}
