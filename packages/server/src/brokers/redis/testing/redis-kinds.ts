import { type ServerProgram, startRedis, startRedisCluster, startRedisSentinel } from '@fusewire/testkit'
import { nodeEnvironment } from '../../../node-environment.ts'
import { BrokerHealth } from '../../broker-health.ts'
import type { RedisMode } from '../redis-address.ts'
import { RedisConnection } from '../redis-connection.ts'
import { RedisLibrary } from '../redis-library.ts'
import { LIBRARY_PARTS } from '../redis-library-parts.ts'

/** A Redis that a test has started. */
export interface StartedRedis {
  readonly mode: RedisMode
  readonly urls: readonly string[]
  /** Drops everything that it has. */
  readonly flush: () => Promise<void>
  readonly stop: () => Promise<void>
}

export interface RedisKind {
  readonly title: string
  readonly programs: readonly ServerProgram[]
  readonly start: () => Promise<StartedRedis>
}

/** Has Redis tell of keys that expire, and look for them often. */
export const TELLS_OF_EXPIRY = { 'notify-keyspace-events': 'Kx', hz: '100' } as const

/** One server, a master with replicas and sentinels, and a cluster of three masters with a replica each. */
export const REDIS_KINDS: readonly RedisKind[] = [
  {
    title: 'standalone',
    programs: ['redis-server'],
    start: async () => {
      const server = await startRedis({ config: TELLS_OF_EXPIRY })
      return {
        mode: 'standalone',
        urls: [server.url],
        flush: async () => void (await server.command('FLUSHALL')),
        stop: () => server.stop(),
      }
    },
  },
  {
    title: 'sentinel',
    programs: ['redis-server', 'redis-sentinel'],
    start: async () => {
      // Nobody fails here, and a busy machine is no reason to choose another master.
      const servers = await startRedisSentinel({ downAfterMs: 60_000, config: TELLS_OF_EXPIRY })
      return {
        mode: 'sentinel',
        urls: servers.urls,
        flush: async () => void (await (await servers.master()).command('FLUSHALL')),
        stop: () => servers.stop(),
      }
    },
  },
  {
    title: 'cluster',
    programs: ['redis-server', 'redis-cli'],
    start: async () => {
      const cluster = await startRedisCluster({ config: TELLS_OF_EXPIRY })
      return {
        mode: 'cluster',
        urls: cluster.urls,
        flush: async () => {
          for (const server of cluster.servers)
            if ((await server.info('replication', 'role')) === 'master') await server.command('FLUSHALL')
        },
        stop: () => cluster.stop(),
      }
    },
  },
]

export const connectTo = ({ mode, urls }: Pick<StartedRedis, 'mode' | 'urls'>, timeoutMs = 5000, ca?: string): RedisConnection =>
  new RedisConnection(
    {
      addresses: urls,
      mode,
      master: 'mymaster',
      timeoutMs,
      library: new RedisLibrary(LIBRARY_PARTS),
      ...(ca !== undefined && { ca }),
    },
    nodeEnvironment,
    new BrokerHealth('redis', nodeEnvironment, () => undefined),
  )
