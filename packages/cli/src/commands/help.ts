import { Command } from 'commander'

/** In place of commander's own, which prints the help of everything for a command that is not there, without a word. */
export const helpCommand = (program: Command): Command =>
  new Command('help')
    .description('Print help')
    .argument('[command]', 'of this command')
    .addHelpText('after', '\nExamples:\n  $ fusewire help\n  $ fusewire help serve')
    .action((name?: string) => {
      const asked = name === undefined ? program : program.commands.find((command) => command.name() === name)
      if (!asked) program.error(`error: unknown command '${name}'`)
      asked.help()
    })
