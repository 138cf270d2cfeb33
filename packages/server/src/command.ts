// The entry of the command: servers that leave it to the command to say how they have begun, and its workers.
import { type CreateOptions, Fusewire } from './fusewire.ts'

export { Worker } from './workers/worker.ts'
export type { WorkerCommand } from './workers/worker-process.ts'
export { Workers, WorkersError } from './workers/workers.ts'

/** Makes the server of a command that serves in its own process, and says itself how it has begun. */
export const createCommandServer = (options: CreateOptions): Fusewire => new Fusewire(options, { logsStart: false })
