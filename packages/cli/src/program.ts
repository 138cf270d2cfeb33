import { Command } from 'commander'
import { CommandLineError } from './command-line-error.ts'
import { addCommands, completeCommand } from './commands.ts'
import { reportError } from './report-error.ts'
import type { Terminal } from './terminal.ts'
import { VERSION } from './version.ts'

const HELP = `
Every command has examples: fusewire <command> --help.

Exit codes:
  0  done
  1  it did not work: no connection, a refusal, a port in use
  2  the command line or the configuration is wrong

First steps:
  $ fusewire serve --development        a server for this machine, open to everyone on it
  $ fusewire subscribe chat:lobby       in a second terminal, in the same folder
  $ fusewire publish chat:lobby hello   in a third one`

const HELP_FLAGS: ReadonlySet<string> = new Set(['-h', '--help'])

/** Commander has written the help in place of an answer: there was no command. */
const HELP_GIVEN = 'commander.help'

/** All commands, without what {@link completeCommand} gives them. */
export const createProgram = (terminal: Terminal): Command => {
  const program = new Command('fusewire')
    .description('Real-time messaging: HTTP/2, WebSocket, SSE, streaming, long polling and raw TCP on one port.')
    .version(VERSION, '-v, --version', 'print the version')
    .helpCommand(false)
    .addHelpText('after', HELP)
  addCommands(program)
  for (const command of [program, ...program.commands])
    command
      .helpOption([...HELP_FLAGS].join(', '), 'print help')
      .exitOverride((error) => {
        throw error.exitCode === 0 || error.code === HELP_GIVEN ? error : new CommandLineError(error.message, command)
      })
      .allowExcessArguments(false)
      .configureOutput({
        writeOut: (text) => terminal.print(text.replace(/\n$/u, '')),
        writeErr: (text) => terminal.note(text.replace(/\n$/u, '')),
        // What is wrong is thrown too, and told by whoever catches it.
        outputError: () => {},
      })
      .showSuggestionAfterError(false)
  return program
}

/** Runs a command line, without the program's own name, and answers with the exit code. Never throws. */
export const run = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  const program = createProgram(terminal)
  try {
    // Before commander begins: when it comes to a command, also with a hook, it has seen to the defaults of flags such as --no-wait. The
    // program's own flags have no values.
    const name = args.find((arg) => !arg.startsWith('-'))
    const called = program.commands.find((command) => command.name() === name)
    if (called) await completeCommand(called, terminal)
    // Asked for help to a command that is not there, commander gives that to all the others and says nothing of it.
    const isUnknown = name !== undefined && !called
    await program.parseAsync(isUnknown ? args.filter((arg) => !HELP_FLAGS.has(arg)) : args, { from: 'user' })
    return 0
  } catch (error) {
    return await reportError(error, terminal)
  }
}
