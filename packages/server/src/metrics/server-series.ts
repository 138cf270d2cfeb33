import type { EngineStats } from '@fusewire/engine'
import type { BrokerStats } from '../brokers/broker-stats.ts'
import type { SnapshotStats } from '../brokers/snapshot-broker.ts'
import type { HookSnapshot } from '../hooks/hook-stats.ts'
import type { ServerLimitName } from '../refusals.ts'
import type { Traffic } from '../transports/traffic.ts'
import { brokerSeries } from './broker-series.ts'
import { type ClusterSource, clusterSeries } from './cluster-series.ts'
import { engineSeries } from './engine-series.ts'
import { hookSeries } from './hook-series.ts'
import type { Series } from './series.ts'
import { snapshotSeries } from './snapshot-series.ts'
import { trafficSeries } from './traffic-series.ts'
import { type WorkerStats, workerSeries } from './worker-series.ts'

export interface MetricsSource {
  /** The engine's counters now. */
  readonly stats: () => EngineStats
  /** What has become of questions to the application and of notices, until now. */
  readonly hooks: () => HookSnapshot
  /** What looked like an attack, by code. */
  readonly securityEvents: () => Readonly<Record<string, number>>
  /** Is this node leaving? */
  readonly isDraining: () => boolean
  readonly traffic: Traffic
  /** Read anew with each scrape. */
  readonly broker: BrokerStats
  /** Read anew with each scrape; absent where there can be no other node. */
  readonly cluster?: ClusterSource
  /** Read anew with each scrape; absent where nothing is kept on disk. */
  readonly snapshots?: SnapshotStats
  /** Of the primary; absent elsewhere. */
  readonly workers?: () => WorkerStats
  /** What was refused before the engine heard of it, by limit. */
  readonly refusals: Readonly<Partial<Record<ServerLimitName, number>>>
  /** Of the server. */
  readonly version: string
  /** Identifier of this process. */
  readonly node: string
}

/** Metrics that are about one thing. */
export interface SeriesGroup {
  readonly title: string
  readonly series: readonly Series[]
}

const refusalSeries = ({ stats, refusals, securityEvents }: MetricsSource): Series[] => [
  {
    kind: 'counter',
    name: 'fusewire_errors_total',
    help: 'Refusals sent to clients.',
    label: 'code',
    read: () => stats().errors,
  },
  {
    kind: 'counter',
    name: 'fusewire_disconnects_total',
    help: 'Connections ended by the server.',
    label: 'code',
    read: () => stats().disconnects,
  },
  {
    kind: 'counter',
    name: 'fusewire_refusals_total',
    help: 'What was refused or ended because it was beyond a limit, by the name of its option.',
    label: 'limit',
    // Some limits are kept by the engine and before it.
    read: () => {
      const counts: Record<string, number> = { ...stats().refusals }
      for (const [limit, count] of Object.entries(refusals)) counts[limit] = (counts[limit] ?? 0) + count
      return counts
    },
  },
  {
    kind: 'counter',
    name: 'fusewire_security_events_total',
    help: 'Refused tokens, origins and API keys.',
    label: 'code',
    read: securityEvents,
  },
]

const nodeSeries = ({ isDraining, node, version }: MetricsSource): Series[] => [
  {
    kind: 'gauge',
    name: 'fusewire_info',
    help: 'Always 1; the labels say what runs.',
    labels: ['node', 'version'],
    read: () => [{ labels: { node, version }, value: 1 }],
  },
  {
    kind: 'gauge',
    name: 'fusewire_draining',
    help: '1 while this node leaves, otherwise 0.',
    read: () => Number(isDraining()),
  },
]

/** Everything that is measured, but for the process itself. Nothing is read before a scrape. */
export const serverSeries = (source: MetricsSource): SeriesGroup[] => [
  { title: 'Connections', series: trafficSeries(source.traffic) },
  { title: 'Sessions, channels and messages', series: engineSeries(source.stats) },
  { title: 'Refusals', series: refusalSeries(source) },
  { title: 'Application hooks', series: hookSeries(source.hooks) },
  { title: 'The broker', series: brokerSeries(source.broker) },
  ...(source.cluster ? [{ title: 'Other nodes, with a broker that nodes share', series: clusterSeries(source.cluster) }] : []),
  ...(source.snapshots ? [{ title: 'Snapshots, with snapshotFile', series: snapshotSeries(source.snapshots) }] : []),
  ...(source.workers ? [{ title: 'Workers, with workers', series: workerSeries(source.workers) }] : []),
  { title: 'The node', series: nodeSeries(source) },
]
