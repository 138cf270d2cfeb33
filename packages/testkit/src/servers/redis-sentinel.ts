import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { freePorts } from './free-ports.ts'
import { type RedisReply, redisCommand } from './redis-command.ts'
import { RedisServer } from './redis-server.ts'
import { ServerProcess } from './server-process.ts'

const MASTER = 'mymaster'
const SENTINELS = 3
const FAILOVER_TIMEOUT_MS = 2_000
const HEALTHY_TIMEOUT_MS = 30_000

export interface RedisSentinelOptions {
  /** Replicas of the master. Default 2. */
  readonly replicas?: number
  /** Whether the servers keep what they have over a restart. Default false. */
  readonly appendonly?: boolean
  /** Of the servers and the sentinels' connections to them; the sentinels themselves have none. */
  readonly password?: string
  /**
   * How long a server may be silent before a sentinel takes it for dead, in milliseconds. Default 1,000: with less, a busy machine has
   * sentinels replace a master that lives.
   */
  readonly downAfterMs?: number
  /** More of the servers' configuration, as that of one server. */
  readonly config?: Readonly<Record<string, string>>
}

interface Sentinel {
  readonly port: number
  readonly id: string
}

/** They know one another and the replicas from the start, which else takes them some seconds to find out. */
const configuration = (
  { port, id }: Sentinel,
  others: readonly Sentinel[],
  [master, ...replicas]: readonly number[],
  { password, downAfterMs }: Required<Pick<RedisSentinelOptions, 'downAfterMs'>> & Pick<RedisSentinelOptions, 'password'>,
): string =>
  [
    `port ${port}`,
    'bind 127.0.0.1',
    'protected-mode no',
    `sentinel myid ${id}`,
    `sentinel monitor ${MASTER} 127.0.0.1 ${master} 2`,
    `sentinel down-after-milliseconds ${MASTER} ${downAfterMs}`,
    `sentinel failover-timeout ${MASTER} ${FAILOVER_TIMEOUT_MS}`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${MASTER} ${password}`]),
    ...replicas.map((replica) => `sentinel known-replica ${MASTER} 127.0.0.1 ${replica}`),
    ...others.map((other) => `sentinel known-sentinel ${MASTER} 127.0.0.1 ${other.port} ${other.id}`),
    '',
  ].join('\n')

const sentinelProcess = (sentinel: Sentinel, config: string): ServerProcess => {
  const process = new ServerProcess({
    program: 'redis-sentinel',
    args: (folder) => [join(folder, 'sentinel.conf'), '--dir', folder],
    isReady: async () => (await redisCommand(sentinel.port, ['PING'])) === 'PONG',
  })
  writeFileSync(join(process.folder, 'sentinel.conf'), config)
  return process
}

/** A flat list of names and values, as sentinels answer. */
const record = (reply: RedisReply | undefined): Readonly<Record<string, string>> => {
  const items = Array.isArray(reply) ? reply : []
  return Object.fromEntries(items.flatMap((item, index) => (index % 2 === 0 ? [[String(item), String(items[index + 1])]] : [])))
}

/** A Redis master with replicas, and the three sentinels that watch it. */
export class RedisSentinelServers implements AsyncDisposable {
  /** The name under which the sentinels know the master. */
  readonly masterName = MASTER
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly ServerProcess[]
  readonly #sentinelPorts: readonly number[]

  constructor(servers: readonly RedisServer[], sentinels: readonly ServerProcess[], sentinelPorts: readonly number[]) {
    this.servers = servers
    this.sentinels = sentinels
    this.#sentinelPorts = sentinelPorts
  }

  /** Addresses of the sentinels. */
  get urls(): readonly string[] {
    return this.#sentinelPorts.map((port) => `redis://127.0.0.1:${port}`)
  }

  /** The server that the sentinels agree is the master. Throws when they do not agree. */
  async master(): Promise<RedisServer> {
    const answers = await Promise.all(
      this.#sentinelPorts.map((port) => redisCommand(port, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER])),
    )
    const ports = new Set(answers.map((answer) => Number(Array.isArray(answer) ? answer[1] : 0)))
    const server = this.servers.find(({ port }) => ports.has(port))
    if (ports.size !== 1 || !server) throw new Error(`sentinels disagree: ${[...ports].join(', ')}`)
    return server
  }

  /** Has another server made the master, as an operator does. Resolves with it when everyone agrees. */
  async failOver(): Promise<RedisServer> {
    const before = await this.master()
    const [port = 0] = this.#sentinelPorts
    // One sentinel may still be at an earlier failover.
    await eventually(() => redisCommand(port, ['SENTINEL', 'FAILOVER', MASTER]), {
      timeoutMs: HEALTHY_TIMEOUT_MS,
      intervalMs: 100,
    })
    return this.#untilMasterIsNot(before)
  }

  /** Kills the master, and gives it, so that it can be started again. The sentinels find that out by themselves. */
  async killMaster(): Promise<RedisServer> {
    const master = await this.master()
    await master.kill()
    return master
  }

  /** Waits until all sentinels agree about a master that answers, and every server that runs is connected to it. */
  async untilHealthy(): Promise<RedisServer> {
    const running = this.servers.filter(({ isRunning }) => isRunning)
    return eventually(
      async () => {
        const master = await this.master()
        if ((await master.info('replication', 'role')) !== 'master') return false
        for (const server of running)
          if (server !== master && (await server.info('replication', 'master_link_status')) !== 'up') return false
        // What is written goes to a replica from when the master, too, calls it online.
        const online = String(await master.command('INFO', 'replication')).match(/state=online/gu)?.length ?? 0
        if (online !== running.length - 1) return false
        return master
      },
      { timeoutMs: HEALTHY_TIMEOUT_MS, intervalMs: 20 },
    )
  }

  /** Waits until each sentinel knows the others and has looked at the replicas: one that it has not looked at it would not promote. */
  async untilWatched(): Promise<void> {
    await eventually(
      async () => {
        for (const port of this.#sentinelPorts) {
          const known = record(await redisCommand(port, ['SENTINEL', 'MASTER', MASTER]))
          if (known.flags !== 'master' || Number(known['num-other-sentinels']) !== SENTINELS - 1) return false
          const replicas = await redisCommand(port, ['SENTINEL', 'REPLICAS', MASTER])
          const good = (Array.isArray(replicas) ? replicas : []).map(record).filter(({ flags }) => flags === 'slave')
          if (good.length < this.servers.length - 1) return false
        }
        return true
      },
      { timeoutMs: HEALTHY_TIMEOUT_MS, intervalMs: 20 },
    )
  }

  async #untilMasterIsNot(before: RedisServer): Promise<RedisServer> {
    return eventually(
      async () => {
        const master = await this.master()
        return master !== before && (await master.info('replication', 'role')) === 'master' && master
      },
      { timeoutMs: HEALTHY_TIMEOUT_MS, intervalMs: 20 },
    )
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** Starts a master, its replicas and three sentinels, and resolves when a failover would work. */
export const startRedisSentinel = async (options: RedisSentinelOptions = {}): Promise<RedisSentinelServers> => {
  const { replicas = 2, downAfterMs = 1_000, config: common, ...redisOptions } = options
  const ports = await freePorts(1 + replicas + SENTINELS)
  const serverPorts = ports.slice(0, 1 + replicas)
  const servers = serverPorts.map((port, index) => {
    const config = { ...common, ...(index > 0 && { replicaof: `127.0.0.1 ${serverPorts[0]}` }) }
    return new RedisServer(port, { ...redisOptions, config })
  })
  const sentinels = ports.slice(1 + replicas).map((port) => ({ port, id: randomBytes(20).toString('hex') }))
  const processes = sentinels.map((sentinel) => {
    const others = sentinels.filter((other) => other !== sentinel)
    return sentinelProcess(sentinel, configuration(sentinel, others, serverPorts, { ...redisOptions, downAfterMs }))
  })
  const started = new RedisSentinelServers(
    servers,
    processes,
    sentinels.map(({ port }) => port),
  )
  try {
    for (const server of servers) server.launch()
    await Promise.all(servers.map((server) => server.untilReady()))
    for (const process of processes) process.launch()
    await Promise.all(processes.map((process) => process.untilReady()))
    await started.untilHealthy()
    await started.untilWatched()
    return started
  } catch (error) {
    await started.stop()
    throw error
  }
}
