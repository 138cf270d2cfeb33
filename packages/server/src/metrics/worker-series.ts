import type { Series } from './series.ts'

export interface WorkerStats {
  /** Workers that serve now. */
  readonly serving: number
  /** Workers that have taken the place of others. */
  readonly restarts: number
}

/** How the primary gets on with its workers. */
export const workerSeries = (workers: () => WorkerStats): Series[] => [
  { kind: 'gauge', name: 'fusewire_workers', help: 'Workers that serve now.', read: () => workers().serving },
  {
    kind: 'counter',
    name: 'fusewire_worker_restarts_total',
    help: 'Workers that have taken the place of others.',
    read: () => workers().restarts,
  },
]
