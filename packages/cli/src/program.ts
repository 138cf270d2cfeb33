import { Command } from 'commander'
import { checkConfigCommand } from './commands/check-config.ts'
import { disconnectCommand } from './commands/disconnect.ts'
import { drainCommand } from './commands/drain.ts'
import { helpCommand } from './commands/help.ts'
import { infoCommand } from './commands/info.ts'
import { initCommand } from './commands/init.ts'
import { publishCommand } from './commands/publish.ts'
import { refreshCommand } from './commands/refresh.ts'
import { revokeCommand } from './commands/revoke.ts'
import { serveCommand } from './commands/serve.ts'
import { stateCommand } from './commands/state.ts'
import { subscribeCommand } from './commands/subscribe.ts'
import { tokenCommand } from './commands/token.ts'
import { unsubscribeCommand } from './commands/unsubscribe.ts'
import { workerCommand } from './commands/worker.ts'
import { reportError } from './report-error.ts'
import type { Terminal } from './terminal.ts'
import { explainUsage } from './usage-error.ts'
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

/** All commands. */
export const createProgram = (terminal: Terminal): Command => {
  const program = new Command('fusewire')
    .description('Real-time messaging: HTTP/2, WebSocket, SSE, streaming, long polling and raw TCP on one port.')
    .version(VERSION, '-v, --version', 'print the version')
    .helpCommand(false)
    .addHelpText('after', HELP)
  for (const create of [
    serveCommand,
    checkConfigCommand,
    initCommand,
    tokenCommand,
    publishCommand,
    subscribeCommand,
    stateCommand,
    disconnectCommand,
    unsubscribeCommand,
    refreshCommand,
    revokeCommand,
    infoCommand,
    drainCommand,
  ])
    program.addCommand(create(terminal))
  program.addCommand(workerCommand(), { hidden: true })
  program.addCommand(helpCommand(program))
  for (const command of [program, ...program.commands])
    command
      .helpOption('-h, --help', 'print help')
      .exitOverride()
      .showSuggestionAfterError(false)
      .allowExcessArguments(false)
      .configureOutput({
        writeOut: (text) => terminal.print(text.replace(/\n$/u, '')),
        writeErr: (text) => terminal.note(text.replace(/\n$/u, '')),
        outputError: (text) => terminal.note(terminal.noteColors.red(explainUsage(text, command))),
      })
  return program
}

/** Runs a command line, without the program's own name, and answers with the exit code. Never throws. */
export const run = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  const program = createProgram(terminal)
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    return reportError(error, terminal)
  }
}
