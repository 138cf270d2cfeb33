import { CommanderError } from 'commander'
import { CommandLineError } from './command-line-error.ts'
import { CommandError, EXIT } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

/** Tells the user what went wrong, and answers with the exit code. */
export const reportError = async (error: unknown, terminal: Terminal): Promise<number> => {
  const { noteColors: colors } = terminal
  // Help and version end this way too, with 0; the text has been written.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof CommandLineError) {
    const { explainUsage } = await import('./usage-error.ts')
    terminal.note(colors.red(explainUsage(error)))
    return EXIT.usage
  }
  if (error instanceof CommandError) {
    terminal.note(colors.red(error.message))
    return error.exitCode
  }
  // Loaded by whoever has thrown it, and by nobody else.
  const { ConfigurationError } = await import('@fusewire/server/configuration')
  if (error instanceof ConfigurationError) {
    terminal.note(colors.red('The configuration cannot be used:'))
    for (const line of error.message.split('\n')) terminal.note(`  ${line}`)
    return EXIT.usage
  }
  terminal.note(colors.red('This is a defect of Fusewire; please report it with what follows.'))
  terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return EXIT.failure
}
