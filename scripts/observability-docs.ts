/**
 * Writes what follows from the tables of metrics and log events: those of `docs/observability.md`.
 * Run with `npm run docs`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { alwaysUp } from '../packages/server/src/brokers/broker-stats.ts'
import { createClusterStats } from '../packages/server/src/cluster/cluster-stats.ts'
import { LOG_EVENTS } from '../packages/server/src/log/log-events.ts'
import type { Series } from '../packages/server/src/metrics/series.ts'
import { serverSeries } from '../packages/server/src/metrics/server-series.ts'
import { createTraffic } from '../packages/server/src/transports/traffic.ts'
import { code, type Markers, remade, table } from './markdown.ts'

export const OBSERVABILITY_FILE = new URL('../docs/observability.md', import.meta.url)

const METRICS: Markers = { of: 'metrics', by: 'observability-docs.ts' }
const EVENTS: Markers = { of: 'events', by: 'observability-docs.ts' }

const unread = (): never => {
  throw new Error('a metric is read when it is scraped, not when it is described')
}

const GROUPS = serverSeries({
  stats: unread,
  hooks: unread,
  securityEvents: unread,
  isDraining: unread,
  traffic: createTraffic(),
  broker: alwaysUp('memory'),
  cluster: { stats: createClusterStats(), nodes: unread, takenFromOthers: {} },
  snapshots: { written: 0, failed: 0, bytes: 0, writtenAt: 0 },
  workers: unread,
  refusals: {},
  version: '',
  node: '',
})

const seriesName = (series: Series): string => {
  const { name, label } = series
  const several = series.kind === 'histogram' ? undefined : series.labels
  const labels = several ?? (label === undefined ? [] : [label])
  return labels.length === 0 ? name : `${name}{${labels.join(',')}}`
}

const metricTables = (): string =>
  GROUPS.flatMap(({ title, series }) => [
    `### ${title}`,
    table(
      ['metric', 'kind', 'what it says'],
      series.map((each) => [code(seriesName(each)), each.kind, each.help]),
    ),
  ]).join('\n\n')

const eventTables = (): string =>
  LOG_EVENTS.flatMap(({ title, events }) => [
    `### ${title}`,
    table(
      ['event', 'level', 'when', 'with'],
      Object.entries(events).map(([event, { level, when, fields }]) => [code(event), level, when, fields.map(code).join(', ')]),
    ),
  ]).join('\n\n')

/** The page with its tables made anew. */
export const observabilityPage = (page: string): string => remade(remade(page, METRICS, metricTables()), EVENTS, eventTables())

export const writeObservabilityDocs = (): void => {
  writeFileSync(OBSERVABILITY_FILE, observabilityPage(readFileSync(OBSERVABILITY_FILE, 'utf8')))
}

if (import.meta.main) writeObservabilityDocs()
