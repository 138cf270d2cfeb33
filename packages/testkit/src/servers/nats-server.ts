import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { freePorts } from './free-ports.ts'
import { ServerProcess } from './server-process.ts'

const SERVERS = 3
const HEALTHY_TIMEOUT_MS = 60_000
const CLUSTER = 'fusewire'

export interface NatsOptions {
  /** Port of 127.0.0.1. Default: a free one. */
  readonly port?: number
  /** Whether it has JetStream. Default true. */
  readonly jetstream?: boolean
  readonly user?: string
  readonly password?: string
  /** More of its configuration. */
  readonly configuration?: Readonly<Record<string, unknown>>
}

interface NatsPorts {
  readonly client: number
  readonly monitor: number
  readonly route?: number
}

interface JetStreamInfo {
  readonly meta_cluster?: { readonly leader?: string; readonly cluster_size?: number }
}

/** A nats-server on 127.0.0.1. */
export class NatsServer extends ServerProcess {
  readonly name: string
  readonly port: number
  readonly #monitor: number

  /** `cluster`: routes to the servers of its cluster. */
  constructor(name: string, ports: NatsPorts, options: NatsOptions = {}, routes: readonly number[] = []) {
    const { jetstream = true, user, password, configuration: more } = options
    super({
      program: 'nats-server',
      args: (folder) => {
        const configuration = {
          server_name: name,
          host: '127.0.0.1',
          port: ports.client,
          http: `127.0.0.1:${ports.monitor}`,
          ...(jetstream ? { jetstream: { store_dir: join(folder, 'jetstream') } } : {}),
          ...(user === undefined ? {} : { authorization: { user, password } }),
          ...(ports.route === undefined
            ? {}
            : {
                cluster: {
                  name: CLUSTER,
                  host: '127.0.0.1',
                  port: ports.route,
                  routes: routes.map((route) => `nats://127.0.0.1:${route}`),
                },
              }),
          ...more,
        }
        // Every JSON document is one of its configurations.
        const file = join(folder, 'nats.conf')
        writeFileSync(file, JSON.stringify(configuration))
        return ['-c', file]
      },
      // Of a cluster, one that is alone is not healthy: that it answers is enough here.
      isReady: async () =>
        (await fetch(`http://127.0.0.1:${ports.monitor}/${ports.route === undefined ? 'healthz' : 'varz'}`)).ok,
    })
    this.name = name
    this.port = ports.client
    this.#monitor = ports.monitor
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }

  /** What its monitoring answers: `varz`, `connz`, `jsz`. */
  async monitor(path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.#monitor}/${path}`, { signal: AbortSignal.timeout(2_000) })
    return response.json()
  }
}

/** Starts a NATS server, and resolves when it takes clients. */
export const startNats = async (options: NatsOptions = {}): Promise<NatsServer> => {
  const [client = 0, monitor = 0] = await freePorts(2)
  const server = new NatsServer('alone', { client: options.port ?? client, monitor }, options)
  server.launch()
  await server.untilReady()
  return server
}

/** A NATS cluster of three servers with JetStream. */
export class NatsClusterServers implements AsyncDisposable {
  readonly servers: readonly NatsServer[]

  constructor(servers: readonly NatsServer[]) {
    this.servers = servers
  }

  get urls(): readonly string[] {
    return this.servers.map(({ url }) => url)
  }

  /** SIGKILL to one of them. */
  async kill(index: number): Promise<void> {
    await this.#at(index).kill()
  }

  /** Starts one again, and waits until the cluster is whole. `empty`: without anything that it had stored. */
  async restart(index: number, options: { readonly empty?: boolean } = {}): Promise<void> {
    await this.#at(index).restart(options)
    await this.untilHealthy()
  }

  /** Waits until all that run know the same leader, and say that they are current. */
  async untilHealthy(): Promise<void> {
    const running = this.servers.filter(({ isRunning }) => isRunning)
    await eventually(
      async () => {
        const leaders = new Set<string | undefined>()
        for (const server of running) {
          const { meta_cluster: meta } = (await server.monitor('jsz')) as JetStreamInfo
          if (meta?.cluster_size !== SERVERS) return false
          leaders.add(meta.leader)
          const { status } = (await server.monitor('healthz')) as { status: string }
          if (status !== 'ok') return false
        }
        const [leader] = leaders
        return leaders.size === 1 && running.some(({ name }) => name === leader)
      },
      { timeoutMs: HEALTHY_TIMEOUT_MS, intervalMs: 50 },
    )
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #at(index: number): NatsServer {
    const server = this.servers[index]
    if (!server) throw new RangeError(`no server ${index}`)
    return server
  }
}

/** Starts three NATS servers with JetStream, and resolves when they have a leader. */
export const startNatsCluster = async (options: Omit<NatsOptions, 'port' | 'jetstream'> = {}): Promise<NatsClusterServers> => {
  const ports = await freePorts(3 * SERVERS)
  const routes = ports.slice(2 * SERVERS)
  const servers = routes.map((route, index) => {
    const [client = 0, monitor = 0] = ports.slice(2 * index)
    return new NatsServer(`nats-${index}`, { client, monitor, route }, options, routes)
  })
  const cluster = new NatsClusterServers(servers)
  try {
    for (const server of servers) server.launch()
    await Promise.all(servers.map((server) => server.untilReady()))
    await cluster.untilHealthy()
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}
