import { type Broker, MemoryBroker, MemoryPresence, MemoryRevocations } from '@fusewire/engine'
import { ConfigurationError } from '../config/configuration-error.ts'
import type { FusewireOptions } from '../config/options.ts'
import type { Backend, BackendContext } from './backend.ts'
import { alwaysUp } from './broker-stats.ts'
import { isNatsAddress } from './nats/nats-address.ts'
import { natsBackend } from './nats/nats-backend.ts'
import { isRedisAddress } from './redis/redis-address.ts'
import { redisBackend } from './redis/redis-backend.ts'
import { SnapshotBroker } from './snapshot-broker.ts'

/** Makes what the options name; `given` takes the place of the memory broker. Nothing is connected before {@link Backend.open}. */
export const openBackend = (options: FusewireOptions, context: BackendContext, given?: Broker): Backend => {
  if (!given && options.broker.every(isRedisAddress)) return redisBackend(options, context)
  if (!given && options.broker.every(isNatsAddress)) return natsBackend(options, context)
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
