import { constants } from 'node:os'
import { Worker, WorkersError } from '@fusewire/server/command'
import type { Command } from 'commander'
import { CommandError } from '../exit-code.ts'
import { letNewSpaceGrow } from '../new-space.ts'

/** Started by `serve` with workers, and by nobody else. */
export const defineWorker = (command: Command): Command => command.action(serveAsWorker)

const openWorker = (): Worker => {
  try {
    return new Worker()
  } catch (error) {
    throw error instanceof WorkersError ? new CommandError(error.message, undefined, { cause: error }) : error
  }
}

const ignore = (): void => {}

const serveAsWorker = async (): Promise<void> => {
  letNewSpaceGrow()
  const worker = openWorker()
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
