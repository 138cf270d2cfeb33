import type { EngineStats } from '@fusewire/engine'
import { Gauge, Registry } from 'prom-client'
import type { SnapshotStats } from '../brokers/snapshot-broker.ts'
import type { HookSnapshot } from '../hooks/hook-stats.ts'
import type { ServerLimitName } from '../refusals.ts'
import type { Traffic, TransportTraffic } from '../transports/traffic.ts'
import { hookSeries } from './hook-series.ts'
import { processMetrics } from './process-metrics.ts'
import { addSeries, type Series } from './series.ts'
import { snapshotSeries } from './snapshot-series.ts'

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
  /** Read anew with each scrape; absent where nothing is kept on disk. */
  readonly snapshots?: SnapshotStats
  /** What was refused before the engine heard of it, by limit. */
  readonly refusals: Readonly<Partial<Record<ServerLimitName, number>>>
  /** Of the server. */
  readonly version: string
  /** Identifier of this process. */
  readonly node: string
}

export interface Metrics {
  readonly contentType: string
  /** Text in the Prometheus exposition format. */
  read(): Promise<string>
}

const trafficSeries = (traffic: Traffic): Series[] => {
  const byTransport = (field: keyof TransportTraffic) => () =>
    Object.fromEntries(Object.entries(traffic).map(([transport, counted]) => [transport, counted[field]]))
  const label = 'transport'
  return [
    { kind: 'gauge', name: 'fusewire_connections', help: 'Connections open now.', label, read: byTransport('connections') },
    {
      kind: 'counter',
      name: 'fusewire_connections_opened_total',
      help: 'Connections accepted.',
      label,
      read: byTransport('opened'),
    },
    {
      kind: 'counter',
      name: 'fusewire_handshakes_refused_total',
      help: 'Connections refused before they were open.',
      label,
      read: byTransport('refused'),
    },
    {
      kind: 'counter',
      name: 'fusewire_received_bytes_total',
      help: 'Bytes from clients, without TLS and HTTP/2 framing.',
      label,
      read: byTransport('bytesIn'),
    },
    {
      kind: 'counter',
      name: 'fusewire_sent_bytes_total',
      help: 'Bytes to clients, without TLS and HTTP/2 framing.',
      label,
      read: byTransport('bytesOut'),
    },
    {
      kind: 'gauge',
      name: 'fusewire_connections_behind',
      help: 'Connections for which frames wait behind a full socket now.',
      label,
      read: byTransport('behind'),
    },
    {
      kind: 'counter',
      name: 'fusewire_connections_fell_behind_total',
      help: 'Connections that have been behind, each counted once.',
      label,
      read: byTransport('fellBehind'),
    },
    {
      kind: 'counter',
      name: 'fusewire_publications_conflated_total',
      help: 'Publications that made way for a newer one while their client was behind.',
      label,
      read: byTransport('conflated'),
    },
    {
      kind: 'counter',
      name: 'fusewire_slow_consumers_disconnected_total',
      help: 'Connections ended because more than maxBufferedBytes waited for them.',
      label,
      read: byTransport('slowDisconnects'),
    },
  ]
}

const engineSeries = (stats: () => EngineStats): Series[] => [
  {
    kind: 'gauge',
    name: 'fusewire_sessions',
    help: 'Sessions now; detached ones wait for their client to come back.',
    label: 'state',
    read: () => {
      const { sessions, detachedSessions } = stats()
      return { attached: sessions - detachedSessions, detached: detachedSessions }
    },
  },
  {
    kind: 'counter',
    name: 'fusewire_sessions_created_total',
    help: 'Sessions begun.',
    read: () => stats().sessionsCreated,
  },
  {
    kind: 'counter',
    name: 'fusewire_sessions_resumed_total',
    help: 'Times that a client came back to its session.',
    read: () => stats().sessionsResumed,
  },
  {
    kind: 'counter',
    name: 'fusewire_sessions_expired_total',
    help: 'Sessions whose client did not come back in time.',
    read: () => stats().sessionsExpired,
  },
  { kind: 'gauge', name: 'fusewire_subscriptions', help: 'Subscriptions now.', read: () => stats().subscriptions },
  { kind: 'gauge', name: 'fusewire_channels', help: 'Channels with subscribers now.', read: () => stats().channels },
  {
    kind: 'gauge',
    name: 'fusewire_deadlines',
    help: 'Deadlines of heartbeats, sessions and tokens that wait for their time.',
    read: () => stats().deadlines,
  },
  { kind: 'gauge', name: 'fusewire_revocations', help: 'Revocations of tokens in force.', read: () => stats().revocations },
  {
    kind: 'counter',
    name: 'fusewire_recoveries_total',
    help: 'Subscriptions that named a position; incomplete when something after it was no longer kept.',
    label: 'outcome',
    read: () => ({ ...stats().recoveries }),
  },
  {
    kind: 'counter',
    name: 'fusewire_messages_received_total',
    help: 'Messages taken from clients.',
    label: 'type',
    read: () => stats().messagesIn,
  },
  {
    kind: 'counter',
    name: 'fusewire_publications_total',
    help: 'Publications that reached this node.',
    read: () => stats().publications,
  },
  {
    kind: 'counter',
    name: 'fusewire_deliveries_total',
    help: 'Publications, joins and leaves handed to connections.',
    read: () => stats().deliveries,
  },
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
]

const securitySeries = (read: MetricsSource['securityEvents']): Series => ({
  kind: 'counter',
  name: 'fusewire_security_events_total',
  help: 'Refused tokens, origins and API keys.',
  label: 'code',
  read,
})

/** Some limits are kept by the engine and before it. */
const refusalSeries = (stats: () => EngineStats, refusals: MetricsSource['refusals']): Series => ({
  kind: 'counter',
  name: 'fusewire_refusals_total',
  help: 'What was refused or ended because it was beyond a limit, by the name of its option.',
  label: 'limit',
  read: () => {
    const counts: Record<string, number> = { ...stats().refusals }
    for (const [limit, count] of Object.entries(refusals)) counts[limit] = (counts[limit] ?? 0) + count
    return counts
  },
})

/** The server's metrics, in a registry of their own: the embedding program's stay its own. */
export const createMetrics = ({
  stats,
  hooks,
  securityEvents,
  isDraining,
  traffic,
  refusals,
  snapshots,
  version,
  node,
}: MetricsSource): Metrics => {
  const own = new Registry()
  new Gauge({
    name: 'fusewire_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['node', 'version'],
    registers: [own],
  }).set({ node, version }, 1)
  // One reading for the whole scrape, so that its numbers fit each other.
  let now = stats()
  const draining: Series = {
    kind: 'gauge',
    name: 'fusewire_draining',
    help: '1 while this node leaves, otherwise 0.',
    read: () => Number(isDraining()),
  }
  for (const series of [
    ...trafficSeries(traffic),
    ...engineSeries(() => now),
    ...hookSeries(hooks),
    securitySeries(securityEvents),
    draining,
    ...(snapshots ? snapshotSeries(snapshots) : []),
    refusalSeries(() => now, refusals),
  ])
    addSeries(own, series)
  const all = Registry.merge([own, processMetrics()])
  return {
    contentType: all.contentType,
    read: () => {
      now = stats()
      return all.metrics()
    },
  }
}
