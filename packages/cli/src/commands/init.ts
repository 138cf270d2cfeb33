import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { configurationTemplate } from '../configuration/configuration-template.ts'
import { DEFAULT_FILE } from '../configuration/load-configuration.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { writeProblem } from '../file-problem.ts'
import type { Terminal } from '../terminal.ts'

export const defineInit = (command: Command, terminal: Terminal): Command =>
  command
    .argument('[file]', 'where to write it', DEFAULT_FILE)
    .option('-f, --force', 'overwrite the file if it is there')
    .addHelpText(
      'after',
      `
The file can be used as it is; only its owner can read it, as it holds a new jwtSecret and API key.

Examples:
  $ fusewire init
  $ fusewire init /etc/fusewire/fusewire.yaml`,
    )
    .action((file: string, { force = false }: { force?: boolean }) => init(file, force, terminal))

const init = (file: string, force: boolean, terminal: Terminal): void => {
  const path = resolve(terminal.folder, file)
  try {
    writeFileSync(path, configurationTemplate(), { flag: force ? 'w' : 'wx', mode: 0o600 })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST')
      throw new CommandError(`${path} is there already. Overwrite it with --force, or name another file.`, EXIT.usage)
    throw new CommandError(`${path} ${writeProblem(cause)}.`, EXIT.failure, { cause })
  }
  const config = file === DEFAULT_FILE ? '' : ` --config ${file}`
  terminal.print(`Wrote ${path}. Next:`)
  terminal.print(`  fusewire serve${config}`)
  terminal.print(`  fusewire token --user alice${config}`)
}
