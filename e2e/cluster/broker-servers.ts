import { setTimeout as delay } from 'node:timers/promises'
import type { FusewireInput } from '@fusewire/server'
import {
  type Random,
  type ServerProgram,
  startNats,
  startNatsCluster,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '@fusewire/testkit'

export const BROKER_KINDS = ['redis', 'sentinel', 'redis-cluster', 'nats', 'nats-cluster'] as const
export type BrokerKind = (typeof BROKER_KINDS)[number]

/** How long the broker may take to answer, in every test of clusters. */
export const BROKER_TIMEOUT_MS = 1_500

/** A server that is suspended for less is slow, and for more it is away. */
const BLINK_MS = 400
const LONG_MS = 2 * BROKER_TIMEOUT_MS

export interface BrokerFault {
  readonly name: string
  /** Whether it may cost what was acknowledged: then everyone is told. */
  readonly loses: boolean
  /** Resolves when the broker is as it was before, or whole again. One that stands still does so until `hold` has resolved, at least. */
  strike(random: Random, hold?: Promise<void>): Promise<void>
}

/** What nodes share, and what can befall it. */
export interface BrokerServers extends AsyncDisposable {
  /** Ports that nodes are given. */
  readonly ports: readonly number[]
  /**
   * Whether a node goes only by the addresses that it was given, so that a proxy can stand between. Clients of Sentinel and Cluster are
   * told where the servers are.
   */
  readonly isProxied: boolean
  /** The options of a node that reaches the broker by these ports. */
  options(ports: readonly number[]): FusewireInput
  readonly faults: readonly BrokerFault[]
}

interface Suspendable {
  suspend(): void
  wake(): void
}

const suspending = (name: string, ms: number, pick: (random: Random) => Suspendable | Promise<Suspendable>): BrokerFault => ({
  name,
  loses: false,
  strike: async (random, hold) => {
    const server = await pick(random)
    server.suspend()
    try {
      await delay(ms)
      await hold
    } finally {
      server.wake()
    }
  },
})

interface Restartable {
  kill(): Promise<unknown>
  restart(options: { empty: boolean }): Promise<unknown>
}

const restarting = (name: string, server: Restartable, { loses, empty }: { loses: boolean; empty: boolean }): BrokerFault => ({
  name,
  loses,
  strike: async (random) => {
    await server.kill()
    await delay(random.integer(0, LONG_MS))
    await server.restart({ empty })
  },
})

const addresses = (scheme: string, ports: readonly number[]): string[] => ports.map((port) => `${scheme}://127.0.0.1:${port}`)

/** Nodes hear of sessions that end, besides looking for them. */
const TELLS_OF_EXPIRY = { 'notify-keyspace-events': 'Kx' }

const redis = async (): Promise<BrokerServers> => {
  const server = await startRedis({ appendonly: true, config: TELLS_OF_EXPIRY })
  return {
    ports: [server.port],
    isProxied: true,
    options: (ports) => ({ broker: addresses('redis', ports) }),
    faults: [
      restarting('Redis is killed, and comes back with what it had', server, { loses: true, empty: false }),
      restarting('Redis is killed, and comes back empty', server, { loses: true, empty: true }),
      suspending('Redis stands still for a moment', BLINK_MS, () => server),
      suspending('Redis stands still for longer than brokerTimeoutMs', LONG_MS, () => server),
    ],
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

const sentinel = async (): Promise<BrokerServers> => {
  const servers = await startRedisSentinel({ config: TELLS_OF_EXPIRY })
  const ports = servers.urls.map((url) => Number(new URL(url).port))
  return {
    ports,
    isProxied: false,
    options: () => ({ broker: addresses('redis', ports), redisMode: 'sentinel', redisMaster: servers.masterName }),
    faults: [
      { name: 'the sentinels are told to fail over', loses: true, strike: async () => void (await servers.failOver()) },
      {
        name: 'the master is killed, and the sentinels fail over',
        loses: true,
        strike: async () => {
          const killed = await servers.killMaster()
          await servers.untilHealthy()
          await killed.restart()
        },
      },
      suspending('the master stands still for a moment', 200, () => servers.master()),
    ],
    [Symbol.asyncDispose]: () => servers.stop(),
  }
}

const redisCluster = async (): Promise<BrokerServers> => {
  const servers = await startRedisCluster({ config: TELLS_OF_EXPIRY })
  const ports = servers.urls.map((url) => Number(new URL(url).port))
  // Any name: which shard it is does not matter, and it is another each time.
  const shard = (random: Random): string => `shard-${random.integer(0, 1_000_000)}`
  return {
    ports,
    isProxied: false,
    options: () => ({ broker: addresses('redis', ports), redisMode: 'cluster' }),
    faults: [
      {
        name: 'a shard is told to fail over',
        loses: true,
        strike: async (random) => void (await servers.failOver(shard(random))),
      },
      {
        name: 'the master of a shard is killed, and its replica takes over',
        loses: true,
        strike: async (random) => {
          const killed = await servers.killMaster(shard(random))
          await servers.untilHealthy()
          await killed.restart()
          await servers.untilHealthy()
        },
      },
      suspending('the master of a shard stands still for a moment', BLINK_MS, (random) => servers.master(shard(random))),
    ],
    [Symbol.asyncDispose]: () => servers.stop(),
  }
}

const nats = async (): Promise<BrokerServers> => {
  const server = await startNats()
  return {
    ports: [server.port],
    isProxied: true,
    options: (ports) => ({ broker: addresses('nats', ports) }),
    faults: [
      restarting('NATS is killed, and comes back with what it had', server, { loses: false, empty: false }),
      restarting('NATS is killed, and comes back empty', server, { loses: true, empty: true }),
      suspending('NATS stands still for a moment', BLINK_MS, () => server),
      suspending('NATS stands still for longer than brokerTimeoutMs', LONG_MS, () => server),
    ],
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

const natsCluster = async (): Promise<BrokerServers> => {
  const { servers, ...cluster } = await startNatsCluster().then((started) => ({
    servers: started.servers,
    kill: (index: number) => started.kill(index),
    restart: (index: number, empty: boolean) => started.restart(index, { empty }),
    stop: () => started.stop(),
  }))
  const restart = (name: string, empty: boolean): BrokerFault => ({
    name,
    loses: false,
    strike: async (random) => {
      const index = random.integer(0, servers.length - 1)
      await cluster.kill(index)
      await delay(random.integer(0, LONG_MS))
      await cluster.restart(index, empty)
    },
  })
  return {
    ports: servers.map(({ port }) => port),
    isProxied: true,
    options: (ports) => ({ broker: addresses('nats', ports), natsReplicas: servers.length }),
    faults: [
      restart('a NATS server of three is killed, and comes back', false),
      restart('a NATS server of three is killed, and comes back empty', true),
      suspending('a NATS server of three stands still for longer than brokerTimeoutMs', LONG_MS, (random) =>
        random.pick(servers),
      ),
    ],
    [Symbol.asyncDispose]: () => cluster.stop(),
  }
}

const STARTS: Readonly<Record<BrokerKind, () => Promise<BrokerServers>>> = {
  redis,
  sentinel,
  'redis-cluster': redisCluster,
  nats,
  'nats-cluster': natsCluster,
}

/** What has to be installed for each. */
export const PROGRAMS: Readonly<Record<BrokerKind, readonly ServerProgram[]>> = {
  redis: ['redis-server'],
  sentinel: ['redis-server', 'redis-sentinel'],
  'redis-cluster': ['redis-server', 'redis-cli'],
  nats: ['nats-server'],
  'nats-cluster': ['nats-server'],
}

export const startBrokerServers = (kind: BrokerKind): Promise<BrokerServers> => STARTS[kind]()
