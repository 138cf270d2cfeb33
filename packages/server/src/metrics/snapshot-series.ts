import type { SnapshotStats } from '../brokers/snapshot-broker.ts'
import type { Series } from './series.ts'

/** What becomes of the snapshots of the memory broker. */
export const snapshotSeries = (snapshots: SnapshotStats): Series[] => [
  {
    kind: 'counter',
    name: 'fusewire_snapshots_total',
    help: 'Snapshots of the memory broker, written or failed; a failed one leaves the file as it was.',
    label: 'outcome',
    read: () => ({ written: snapshots.written, failed: snapshots.failed }),
  },
  { kind: 'gauge', name: 'fusewire_snapshot_bytes', help: 'Size of the last snapshot.', read: () => snapshots.bytes },
  {
    kind: 'gauge',
    name: 'fusewire_snapshot_timestamp_seconds',
    help: 'When the last snapshot was written, in seconds since 1970; 0 before the first of this process.',
    read: () => snapshots.writtenAt / 1000,
  },
]
