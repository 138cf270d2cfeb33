import type { Command } from 'commander'
import type { Terminal } from './terminal.ts'

/** A command as the list of all commands has it; its arguments, flags and action are loaded when it is asked for. */
interface CommandEntry {
  readonly name: string
  readonly description: string
  /** Left out of the list. */
  readonly hidden?: boolean
  readonly load: () => Promise<(command: Command, terminal: Terminal) => Command>
}

/** In the order of the help. */
const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'serve',
    description: 'Start a server',
    load: async () => (await import('./commands/serve.ts')).defineServe,
  },
  {
    name: 'check-config',
    description: 'Check the configuration, and print what is in force or everything that is wrong',
    load: async () => (await import('./commands/check-config.ts')).defineCheckConfig,
  },
  {
    name: 'init',
    description: 'Write a configuration file with every option explained, and secrets of its own',
    load: async () => (await import('./commands/init.ts')).defineInit,
  },
  {
    name: 'token',
    description: 'Make a token, as the backend of an application would',
    load: async () => (await import('./commands/token.ts')).defineToken,
  },
  {
    name: 'publish',
    description: 'Publish to a channel, over the HTTP API',
    load: async () => (await import('./commands/publish.ts')).definePublish,
  },
  {
    name: 'subscribe',
    description: 'Print the messages of channels as they come',
    load: async () => (await import('./commands/subscribe.ts')).defineSubscribe,
  },
  {
    name: 'state',
    description: 'Print the document of a state channel',
    load: async () => (await import('./commands/state.ts')).defineState,
  },
  {
    name: 'disconnect',
    description: 'End the sessions of a user, or one session: their clients do not come back',
    load: async () => (await import('./commands/disconnect.ts')).defineDisconnect,
  },
  {
    name: 'unsubscribe',
    description: 'End the subscription of a user, or of one session, in a channel',
    load: async () => (await import('./commands/unsubscribe.ts')).defineUnsubscribe,
  },
  {
    name: 'refresh',
    description: 'Give the sessions of a user, or one session, another end than their tokens have',
    load: async () => (await import('./commands/refresh.ts')).defineRefresh,
  },
  {
    name: 'revoke',
    description: 'Take tokens back: what was made with them ends at once, and they are refused from now on',
    load: async () => (await import('./commands/revoke.ts')).defineRevoke,
  },
  {
    name: 'info',
    description: 'Say what a server is and how busy it is, and which other nodes it knows',
    load: async () => (await import('./commands/info.ts')).defineInfo,
  },
  {
    name: 'drain',
    description: 'Have a node leave: its clients move, and its process ends; or have the clients of a user move',
    load: async () => (await import('./commands/drain.ts')).defineDrain,
  },
  {
    name: 'worker',
    description: 'Serve as one of several workers; started by "fusewire serve --workers", not by hand',
    hidden: true,
    load: async () => (await import('./commands/worker.ts')).defineWorker,
  },
  {
    name: 'help',
    description: 'Print help',
    load: async () => (await import('./commands/help.ts')).defineHelp,
  },
]

/** Adds all commands, of which each says its name and what it is for. */
export const addCommands = (program: Command): void => {
  for (const { name, description, hidden = false } of COMMANDS) program.command(name, { hidden }).description(description)
}

/** Gives a command the rest: arguments, flags, examples and action. */
export const completeCommand = async (command: Command, terminal: Terminal): Promise<void> => {
  const define = await COMMANDS.find(({ name }) => name === command.name())?.load()
  define?.(command, terminal)
}
