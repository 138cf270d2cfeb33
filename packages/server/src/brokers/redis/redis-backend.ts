import { ConfigurationError } from '../../config/configuration-error.ts'
import type { FusewireOptions } from '../../config/options.ts'
import { readOptionFile } from '../../config/read-option-file.ts'
import type { Backend, BackendContext } from '../backend.ts'
import { BrokerHealth } from '../broker-health.ts'
import { presenceTtlOf } from '../presence-ttl.ts'
import { type ReachOptions, reachRedis } from './reach-redis.ts'
import { RedisBroker } from './redis-broker.ts'
import { RedisBus } from './redis-bus.ts'
import { RedisConnection } from './redis-connection.ts'
import { RedisLibrary } from './redis-library.ts'
import { LIBRARY_PARTS } from './redis-library-parts.ts'
import { RedisPresence } from './redis-presence.ts'
import { RedisRevocations } from './redis-revocations.ts'
import { RedisSessions } from './redis-sessions.ts'

/** Everything that nodes share, in Redis, over one set of connections. */
export const redisBackend = (options: FusewireOptions, { node, environment, log }: BackendContext): Backend => {
  const { broker: addresses, redisMode: mode, redisMaster: master, brokerCaFile, brokerPrefix: prefix } = options
  const { brokerTimeoutMs: timeoutMs, idempotencyTtlMs, maxRevocations, sessionTtlMs } = options
  const ca = brokerCaFile === undefined ? undefined : readOptionFile(brokerCaFile, 'brokerCaFile')
  const reach: ReachOptions = { addresses, mode, master, timeoutMs, ...(ca !== undefined && { ca }) }
  const health = new BrokerHealth('redis', environment, log)
  const library = new RedisLibrary(LIBRARY_PARTS)
  const connection = new RedisConnection({ ...reach, library }, environment, health)
  const revocations = new RedisRevocations(connection, environment, log, { node, prefix, maxRevocations })
  return {
    broker: new RedisBroker(connection, { node, prefix, idempotencyTtlMs, timeoutMs }),
    presence: new RedisPresence(connection, { prefix, ttlMs: presenceTtlOf(sessionTtlMs) }),
    revocations,
    shared: {
      sessions: new RedisSessions(connection, { node, prefix, alarmLeadMs: sessionTtlMs / 2 }),
      bus: new RedisBus(connection, { prefix }),
    },
    stats: health,
    open: async () => {
      const { evicts } = await reachRedis(reach)
      if (evicts) log('broker_evicts', { broker: 'redis' })
      await connection.open().catch((error: Error) => {
        throw new ConfigurationError([{ option: 'broker', message: error.message }], { cause: error })
      })
    },
    problem: () => connection.problem(),
    sweep: () => revocations.sweep(),
    close: () => connection.close(),
  }
}
