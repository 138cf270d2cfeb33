import { FusewireError, PROTOCOL_VERSION } from '@fusewire/protocol'
import type { AddressRate } from './addresses/address-rate.ts'
import { type Api, createApi, type HttpHandler } from './api/create-api.ts'
import { type DrainAnswer, drainAnswer, type KnownNode } from './api/schemas/answers.ts'
import { ApiKeys } from './auth/api-keys.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { Core } from './compose-core.ts'
import type { FusewireOptions } from './config/options.ts'
import type { Drain } from './draining/drain.ts'
import { createMetrics, type Metrics } from './metrics/create-metrics.ts'
import type { Refusals } from './refusals.ts'
import type { HttpTransports } from './transports/http/http-transports.ts'
import type { TransportContext } from './transports/transport-context.ts'
import { VERSION } from './version.ts'
import type { WorkerRole } from './workers/worker-role.ts'

/** How long another node may take to say that it leaves. */
const DRAIN_CALL_TIMEOUT_MS = 3000

/** What of a node the HTTP API tells of, or is told by. */
export interface ApiParts {
  readonly context: TransportContext
  readonly refusals: Refusals
  /** Reads of documents by address. */
  readonly reads: AddressRate
  /** Requests that other nodes have brought, by transport. */
  readonly takenFromOthers: HttpTransports['takenFromOthers']
  /** What there is to know of this node. */
  readonly self: () => KnownNode
  readonly isListening: () => boolean
  /** There is none before the port is opened. */
  readonly drain: () => Drain
  readonly handler: HttpHandler | undefined
}

/** The HTTP API of a node: what it answers for the application, of itself, and about leaving. */
export const composeApi = (options: FusewireOptions, core: Core, role: WorkerRole | undefined, parts: ApiParts): Promise<Api> => {
  const { cluster } = core
  const { context, refusals, reads, self, isListening, drain, handler } = parts
  const leave = (): DrainAnswer => {
    const { connections } = core.engine.stats()
    void drain().begin()
    const { drainDelayMs: delayMs, drainWindowMs: windowMs, drainTimeoutMs: timeoutMs } = options
    return { node: core.node, connections, delayMs, windowMs, timeoutMs }
  }
  cluster?.handle('drain', leave)
  return createApi({
    application: core.commands,
    drain: (node) => {
      if (node === core.node) return leave()
      if (node !== undefined) return askToLeave(cluster, node)
      if (!role) return leave()
      // Who names no node means the server, with all its workers.
      role.drainAll()
      return { ...leave(), workers: role.workers }
    },
    keys: new ApiKeys(options.apiKeys),
    openToLoopback: options.development,
    isOriginAllowed: context.isOriginAllowed,
    clientAddress: ({ socket, headers }) => context.clientAddress(socket.remoteAddress, headers['x-forwarded-for']),
    admitReader: (address) => {
      const retryAfterMs = reads.take(address, Date.now())
      if (retryAfterMs === 0) return
      refusals.report('stateReadsPerSecondPerAddress', address, Date.now())
      throw new FusewireError('rate_limited', 'more than stateReadsPerSecondPerAddress allows', { retryAfterMs })
    },
    limits: options,
    info: () => {
      const own = self()
      const nodes = [own, ...(cluster?.others ?? [])]
      return { ...own, protocolVersion: PROTOCOL_VERSION, development: options.development, nodes }
    },
    readiness: () => {
      const problem = core.backend.problem()
      return [
        ...(isListening() && drain().state === 'serving' ? [] : [new FusewireError('server_draining')]),
        ...(problem ? [problem] : []),
      ]
    },
    ...(options.metrics && { metrics: metricsOf(core, role, parts) }),
    ...(handler && { fallback: handler }),
    log: context.log,
  })
}

const askToLeave = async (cluster: Cluster | undefined, node: string): Promise<DrainAnswer> => {
  const whereabouts = cluster?.whereabouts(node) ?? 'gone'
  if (whereabouts === 'unsure') throw new FusewireError('broker_unavailable', 'other nodes cannot be reached now')
  if (!cluster || whereabouts === 'gone') throw new FusewireError('not_found', 'there is no such node')
  return drainAnswer.parse(await cluster.ask(node, 'drain', null, { timeoutMs: DRAIN_CALL_TIMEOUT_MS }))
}

/** Those of this process, and with a role those of all workers. */
const metricsOf = (core: Core, role: WorkerRole | undefined, parts: ApiParts): Metrics => {
  const { engine, cluster, backend } = core
  const { context, refusals, drain, takenFromOthers } = parts
  const own = createMetrics({
    stats: () => engine.stats(),
    hooks: core.application.snapshot,
    securityEvents: () => core.security.counts,
    isDraining: () => drain().state !== 'serving',
    traffic: context.traffic,
    broker: backend.stats,
    ...(cluster && { cluster: { stats: cluster.stats, nodes: () => cluster.others.length + 1, takenFromOthers } }),
    ...(backend.snapshots && { snapshots: backend.snapshots }),
    refusals: refusals.counts,
    version: VERSION,
    node: core.node,
  })
  return role?.gather(own) ?? own
}
