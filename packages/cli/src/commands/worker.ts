import { constants } from 'node:os'
import { Worker } from '@fusewire/server'
import { Command } from 'commander'

/** Started by `serve` with workers, and by nobody else. */
export const workerCommand = (): Command =>
  new Command('worker')
    .description('Serve as one of several workers; started by "fusewire serve --workers", not by hand')
    .action(serveAsWorker)

const ignore = (): void => {}

const serveAsWorker = async (): Promise<void> => {
  const worker = new Worker()
  let isLeaving = false
  const leave = (): void => {
    if (isLeaving) process.exit(128 + constants.signals.SIGTERM)
    isLeaving = true
    worker.leave('drain')
  }
  // Ctrl-C and a terminal that goes away reach every process of the group: the primary says what comes of it.
  process.on('SIGINT', ignore).on('SIGHUP', ignore).on('SIGTERM', leave)
  await worker.run()
}
