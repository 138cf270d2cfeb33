import { randomBytes } from 'node:crypto'
import { OPTION_DESCRIPTIONS, type OptionDescription } from '@fusewire/server'
import { stringify } from 'yaml'

const WIDTH = 100

const wrapped = (text: string): string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > WIDTH) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return [...lines, line]
}

const facts = ({ unit, defaultText, default: initial, minimum, maximum, values, kind }: OptionDescription): string => {
  const parts: string[] = []
  if (unit) parts.push(`${unit[0]?.toUpperCase()}${unit.slice(1)}`)
  if (minimum !== undefined && maximum !== undefined) parts.push(`${minimum} to ${maximum}`)
  if (values && kind === 'text') parts.push(values.join(', '))
  const said = defaultText ?? (initial === undefined ? undefined : Array.isArray(initial) ? undefined : String(initial))
  if (said !== undefined) parts.push(`default ${said}`)
  return parts.length === 0 ? '' : ` ${parts.join('; ')}.`
}

const entry = (option: OptionDescription, active: unknown): string[] => {
  const comment = wrapped(`${option.description}${facts(option)}`).map((line) => `# ${line}`)
  const value = active ?? option.example ?? option.default
  const lines = stringify({ [option.name]: value }, { lineWidth: 0, flowCollectionPadding: false })
    .trimEnd()
    .split('\n')
  return [...comment, ...(active === undefined ? lines.map((line) => `# ${line}`) : lines), '']
}

/** What makes the new file a configuration that works: secrets of its own, and a first rule. */
const activeValues = (): Readonly<Record<string, unknown>> => ({
  jwtSecret: randomBytes(32).toString('base64url'),
  apiKeys: [randomBytes(24).toString('base64url')],
  rules: [{ pattern: 'chat:*', subscribe: 'user', publish: 'user', presence: true }],
})

/** A configuration file with every option explained, and only those active without which nothing would work. */
export const configurationTemplate = (): string => {
  const active = activeValues()
  const lines = [
    '# Configuration of Fusewire. Every option with its default; remove the # before those that you change.',
    '# "fusewire check-config" says what is in force. Environment variables (FUSEWIRE_PORT) and flags (--port) are stronger.',
    '# This file holds secrets: keep it out of version control.',
    '',
  ]
  let section = ''
  for (const option of OPTION_DESCRIPTIONS) {
    if (option.section !== section) {
      section = option.section
      lines.push(`# --- ${section} ${'-'.repeat(WIDTH - section.length - 5)}`, '')
    }
    lines.push(...entry(option, active[option.name]))
  }
  return `${lines.join('\n').trimEnd()}\n`
}
