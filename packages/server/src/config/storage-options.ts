import { milliseconds, text } from './option-notes.ts'

/** What outlives the process. */
export const storageOptions = {
  snapshotFile: text(
    'File in which history, documents and idempotency keys are kept over a restart. Without it they are in memory alone.',
    { path: true, example: '/var/lib/fusewire/snapshot.ndjson' },
  ),
  snapshotIntervalMs: milliseconds('How often the snapshot is written while something changes; so much a crash may lose.', {
    default: 10_000,
    min: 1000,
  }),
}
