import { ConfigurationError, WorkersError } from '@fusewire/server'
import { CommanderError } from 'commander'
import { CommandError, EXIT } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

/** Tells the user what went wrong, and answers with the exit code. */
export const reportError = (error: unknown, terminal: Terminal): number => {
  const { noteColors: colors } = terminal
  // Help and version end this way too, with 0; the text has been written.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof ConfigurationError) {
    terminal.note(colors.red('The configuration cannot be used:'))
    for (const line of error.message.split('\n')) terminal.note(`  ${line}`)
    return EXIT.usage
  }
  if (error instanceof WorkersError) {
    terminal.note(colors.red(error.message))
    return EXIT.failure
  }
  if (error instanceof CommandError) {
    terminal.note(colors.red(error.message))
    return error.exitCode
  }
  terminal.note(colors.red('This is a defect of Fusewire; please report it with what follows.'))
  terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return EXIT.failure
}
