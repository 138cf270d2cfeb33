import { Registry } from 'prom-client'
import { processMetrics } from './process-metrics.ts'
import { addSeries } from './series.ts'
import { type MetricsSource, serverSeries } from './server-series.ts'
import { snapshotSeries } from './snapshot-series.ts'
import { workerSeries } from './worker-series.ts'

export interface Metrics {
  readonly contentType: string
  /** Text in the Prometheus exposition format. */
  read(): Promise<string>
}

/** The server's metrics, in a registry of their own: the embedding program's stay its own. */
export const createMetrics = (source: MetricsSource): Metrics => {
  const own = new Registry()
  // One reading for the whole scrape, so that its numbers fit each other.
  let now = source.stats()
  for (const { series } of serverSeries({ ...source, stats: () => now })) for (const each of series) addSeries(own, each)
  const all = Registry.merge([own, processMetrics()])
  return {
    contentType: all.contentType,
    read: () => {
      now = source.stats()
      return all.metrics()
    },
  }
}

/** What the primary of several workers adds to their metrics, as text. */
export const createPrimaryMetrics = ({
  snapshots,
  workers,
}: Pick<MetricsSource, 'snapshots'> & Required<Pick<MetricsSource, 'workers'>>): (() => Promise<string>) => {
  const own = new Registry()
  for (const each of [...(snapshots ? snapshotSeries(snapshots) : []), ...workerSeries(workers)]) addSeries(own, each)
  const all = Registry.merge([own, processMetrics()])
  return () => all.metrics()
}
