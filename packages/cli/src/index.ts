import { keepNewSpace } from './new-space.ts'
import { run } from './program.ts'
import { processTerminal } from './terminal.ts'

export { run } from './program.ts'
export type { Terminal } from './terminal.ts'

/** EPIPE: nobody reads any more. EIO: the terminal is gone. */
const isReaderGone = ({ code }: NodeJS.ErrnoException): boolean => code === 'EPIPE' || code === 'EIO'

/** The `fusewire` command of this process. */
export const main = async (): Promise<void> => {
  keepNewSpace()
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!isReaderGone(error)) throw error
    // Whoever reads has read enough: `fusewire subscribe news | head -1`. On a hangup the signal ends the command, cleanly.
    if (error.code === 'EPIPE') process.exit(0)
  })
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (!isReaderGone(error)) throw error
  })
  process.exitCode = await run(process.argv.slice(2), processTerminal())
}
