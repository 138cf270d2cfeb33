import { randomBytes } from 'node:crypto'
import { OPTION_DESCRIPTIONS, type OptionDescription, type ValueDescription } from '@fusewire/server/configuration'
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

const capital = (text: string): string => `${text[0]?.toUpperCase()}${text.slice(1)}`

/** `Milliseconds; 100 to 3600000; default 25000.` */
const facts = ({ unit, defaultText, default: initial, minimum, maximum, values, word, kind }: ValueDescription): string => {
  const said = defaultText ?? (initial === undefined || Array.isArray(initial) ? undefined : String(initial))
  const parts = [
    ...(unit ? [unit] : []),
    ...(minimum !== undefined && maximum !== undefined
      ? [`${minimum} to ${maximum}${word === undefined ? '' : `, or ${word}`}`]
      : []),
    ...(values && (kind === 'text' || kind === 'list') ? [`${kind === 'text' ? 'one of' : 'of'} ${values.join(', ')}`] : []),
    ...(said === undefined ? [] : [`default ${said}`]),
  ]
  return parts.length === 0 ? '' : ` ${capital(parts.join('; '))}.`
}

const explained = (value: ValueDescription): string[] => wrapped(`${value.description}${facts(value)}`).map((line) => `# ${line}`)

const explainedField = (value: ValueDescription): string[] =>
  wrapped(`${value.name}: ${value.description}${facts(value)}`).map((line, index) => `# ${index === 0 ? '- ' : '  '}${line}`)

const entry = (option: OptionDescription, active: unknown): string[] => {
  const fields = option.fields.flatMap(explainedField)
  const value = active ?? option.example ?? option.default
  const lines = stringify({ [option.name]: value }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
  return [...explained(option), ...fields, ...(active === undefined ? lines.map((line) => `# ${line}`) : lines), '']
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
