import { readFileSync } from 'node:fs'
import { OPTION_DESCRIPTIONS } from '@fusewire/server/configuration'
import { describe, expect, it } from 'vitest'
import { completeCommand } from './commands.ts'
import { ENVIRONMENT } from './environment-names.ts'
import { createProgram } from './program.ts'
import { MemoryTerminal } from './testing/memory-terminal.ts'

const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')

describe('docs/cli.md', () => {
  it('has every command and every flag that is no option of the server', async () => {
    using terminal = new MemoryTerminal()
    const options = new Set(OPTION_DESCRIPTIONS.flatMap(({ flag }) => [flag, `--no-${flag.slice(2)}`]))
    for (const command of createProgram(terminal).commands) {
      await completeCommand(command, terminal)
      expect(page).toContain(`\n## ${command.name()}\n`)
      for (const { long, flags } of command.options) if (long && !options.has(long)) expect(page).toContain(`\`${flags}\``)
    }
  })

  it('has every environment variable of the commands', () => {
    for (const name of Object.values(ENVIRONMENT)) expect(page).toContain(`\`${name}\``)
  })
})
