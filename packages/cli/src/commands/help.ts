import type { Command } from 'commander'
import { completeCommand } from '../commands.ts'
import type { Terminal } from '../terminal.ts'

/** In place of commander's own, which prints the help of everything for a command that is not there, without a word. */
export const defineHelp = (command: Command, terminal: Terminal): Command =>
  command
    .argument('[command]', 'of this command')
    .addHelpText('after', '\nExamples:\n  $ fusewire help\n  $ fusewire help serve')
    .action((name?: string) => printHelp(name, command, terminal))

const printHelp = async (name: string | undefined, help: Command, terminal: Terminal): Promise<void> => {
  const program = help.parent
  const asked = name === undefined ? program : program?.commands.find((command) => command.name() === name)
  if (!asked) return program?.error(`error: unknown command '${name}'`)
  // It has been completed itself, as it was called.
  if (asked !== help) await completeCommand(asked, terminal)
  asked.help()
}
