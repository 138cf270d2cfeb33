import { run } from './program.ts'
import { processTerminal } from './terminal.ts'

export { run } from './program.ts'
export type { Terminal } from './terminal.ts'

/** The `fusewire` command of this process. */
export const main = async (): Promise<void> => {
  // Whoever reads has read enough: `fusewire subscribe news | head -1`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  process.exitCode = await run(process.argv.slice(2), processTerminal())
}
