import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { eventually } from '../eventually.ts'
import { freePorts } from './free-ports.ts'
import { requireServer } from './program.ts'
import { redisField } from './redis-command.ts'
import { RedisServer } from './redis-server.ts'

const MASTERS = 3
const NODE_TIMEOUT_MS = 1_000
const HEALTHY_TIMEOUT_MS = 30_000
/** Servers that are busy give a failover up after five seconds. */
const FAILOVER_TIMEOUT_MS = 6_000

export interface RedisClusterOptions {
  /** Whether the servers keep what they have over a restart. Default false. */
  readonly appendonly?: boolean
  /** More of the servers' configuration, as that of one server. */
  readonly config?: Readonly<Record<string, string>>
}

/** A Redis Cluster of three masters with a replica each. */
export class RedisClusterServers implements AsyncDisposable {
  readonly servers: readonly RedisServer[]

  constructor(servers: readonly RedisServer[]) {
    this.servers = servers
  }

  get urls(): readonly string[] {
    return this.servers.map(({ url }) => url)
  }

  /** The server that is now the master of a key's slot. */
  async master(key: string): Promise<RedisServer> {
    const [master] = await this.#shard(key)
    return master
  }

  /** Has the replica of a key's master take its place, without loss, as an operator does. Resolves with it when everyone agrees. */
  async failOver(key: string): Promise<RedisServer> {
    const [before, replica] = await this.#shard(key)
    if (!replica) throw new Error(`the master of ${key} has no replica`)
    const isDone = async (): Promise<boolean> => (await this.master(key)) !== before
    await eventually(
      async () => {
        if (await isDone()) return
        await replica.command('CLUSTER', 'FAILOVER')
        await eventually(isDone, { timeoutMs: FAILOVER_TIMEOUT_MS, intervalMs: 20 })
      },
      { timeoutMs: HEALTHY_TIMEOUT_MS },
    )
    await this.untilHealthy()
    return this.master(key)
  }

  /** Kills the master of a key's slot, and gives it, so that it can be started again. The cluster finds that out by itself. */
  async killMaster(key: string): Promise<RedisServer> {
    const master = await this.master(key)
    await master.kill()
    return master
  }

  /** Waits until every server that runs says `cluster_state:ok`, sees the same masters and replicas, and every replica is connected. */
  async untilHealthy(): Promise<void> {
    const running = this.servers.filter(({ isRunning }) => isRunning)
    await eventually(
      async () => {
        const views = new Set<string>()
        for (const server of running) {
          const info = await server.command('CLUSTER', 'INFO')
          if (redisField(info, 'cluster_state') !== 'ok') return false
          if (redisField(info, 'cluster_known_nodes') !== String(this.servers.length)) return false
          const slots = await slotsOf(server)
          if (slots.flatMap(({ ports }) => ports).length !== running.length) return false
          views.add(JSON.stringify(slots))
          const role = await server.info('replication', 'role')
          if (role === 'slave' && (await server.info('replication', 'master_link_status')) !== 'up') return false
        }
        return views.size === 1
      },
      { timeoutMs: HEALTHY_TIMEOUT_MS, intervalMs: 20 },
    )
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Master and replica of a key's slot, as one that runs sees them. */
  async #shard(key: string): Promise<[RedisServer, RedisServer | undefined]> {
    const server = this.servers.find(({ isRunning }) => isRunning)
    if (!server) throw new Error('no server of the cluster runs')
    const slot = Number(await server.command('CLUSTER', 'KEYSLOT', key))
    const range = (await slotsOf(server)).find(({ first, last }) => slot >= first && slot <= last)
    const [master, replica] = range?.ports.map((at) => this.servers.find(({ port }) => port === at)) ?? []
    if (master) return [master, replica]
    throw new Error(`no master has slot ${slot}`)
  }
}

interface SlotRange {
  readonly first: number
  readonly last: number
  /** The master's, then that of its replica once it has followed it. */
  readonly ports: readonly number[]
}

const slotsOf = async (server: RedisServer): Promise<readonly SlotRange[]> => {
  const ranges = (await server.command('CLUSTER', 'SLOTS')) as readonly (readonly [
    number,
    number,
    ...(readonly [string, number])[],
  ])[]
  return ranges
    .map(([first, last, ...nodes]) => ({ first, last, ports: nodes.map(([, port]) => port) }))
    .sort((one, other) => one.first - other.first)
}

/** Starts six servers and makes a cluster of them; resolves when all say that it is well. */
export const startRedisCluster = async (options: RedisClusterOptions = {}): Promise<RedisClusterServers> => {
  const cli = requireServer('redis-cli')
  const ports = await freePorts(4 * MASTERS)
  const servers = Array.from({ length: 2 * MASTERS }, (_, index) => {
    const config = {
      ...options.config,
      'cluster-enabled': 'yes',
      'cluster-port': String(ports[2 * index + 1]),
      'cluster-node-timeout': String(NODE_TIMEOUT_MS),
      'cluster-replica-validity-factor': '0',
      'cluster-allow-replica-migration': 'no',
    }
    return new RedisServer(ports[2 * index] ?? 0, { ...options, config })
  })
  const cluster = new RedisClusterServers(servers)
  try {
    for (const server of servers) server.launch()
    await Promise.all(servers.map((server) => server.untilReady()))
    const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
    await promisify(execFile)(cli, ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'])
    await cluster.untilHealthy()
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}
