import { checkFiles, optionWarnings } from '@fusewire/server/configuration'
import type { Command } from 'commander'
import { addConfigurationOptions } from '../configuration/configuration-options.ts'
import { summarize } from '../configuration/configuration-summary.ts'
import { type ConfigurationFlags, loadConfiguration } from '../configuration/load-configuration.ts'
import type { Terminal } from '../terminal.ts'

export const defineCheckConfig = (command: Command, terminal: Terminal): Command =>
  addConfigurationOptions(command)
    .addHelpText(
      'after',
      `
The same file, environment variables and flags as for "fusewire serve". Certificates and keys are read, nothing is started. Ends with 0 when the
configuration can be used, otherwise with 2.

Examples:
  $ fusewire check-config
  $ fusewire check-config --config /etc/fusewire/fusewire.yaml
  $ FUSEWIRE_PORT=443 fusewire check-config --no-metrics`,
    )
    .action((flags: ConfigurationFlags) => checkConfig(flags, terminal))

const checkConfig = (flags: ConfigurationFlags, terminal: Terminal): void => {
  const { options, file } = loadConfiguration(flags, terminal)
  checkFiles(options)
  const { colors } = terminal
  for (const { title, lines } of summarize(options)) {
    terminal.print(colors.bold(title))
    for (const { name, value, changed } of lines)
      terminal.print(changed ? `  ${name}: ${colors.green(value)}` : colors.dim(`  ${name}: ${value}`))
  }
  terminal.print('')
  terminal.print(`The configuration can be used${file === undefined ? ' (there is no file)' : `: ${file}`}.`)
  for (const warning of optionWarnings(options)) terminal.note(terminal.noteColors.yellow(warning))
}
