/**
 * Writes what follows from the options' schema: `spec/config.schema.json`, the tables of `docs/configuration.md`, and that of the limits in
 * `docs/security.md`.
 * Run with `node --conditions=@fusewire/source scripts/config-docs.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { OPTION_DESCRIPTIONS, type ValueDescription } from '../packages/server/src/config/describe-options.ts'
import { LIMIT_NOTES, type LimitNote, type LimitOptionName } from '../packages/server/src/config/limit-notes.ts'
import { OPTION_SECTIONS, optionsSchema } from '../packages/server/src/config/options.ts'
import { code, type Markers, remade, table } from './markdown.ts'

export const SCHEMA_FILE = new URL('../spec/config.schema.json', import.meta.url)
export const SECURITY_FILE = new URL('../docs/security.md', import.meta.url)
export const PAGE_FILE = new URL('../docs/configuration.md', import.meta.url)

const MARKERS: Markers = { of: 'options', by: 'config-docs.ts' }

/** The JSON schema of the configuration file. */
export const configSchema = (): string => {
  const schema = z.toJSONSchema(optionsSchema, { io: 'input' })
  const described = { $schema: schema.$schema, title: 'Fusewire configuration', description: 'fusewire.yaml', ...schema }
  return `${JSON.stringify(described, null, 2)}\n`
}

const typeOf = ({ kind, unit, values, minimum, maximum, word }: ValueDescription): string => {
  if (kind === 'boolean') return 'true or false'
  if (kind === 'records') return 'list, see below'
  if (kind === 'integer') return `${unit ?? 'number'}, ${minimum} to ${maximum}${word === undefined ? '' : `, or ${code(word)}`}`
  const choice = values?.map(code).join(', ')
  if (kind === 'list') return choice ? `list of ${choice}` : 'list'
  return choice ?? 'text'
}

const defaultOf = ({ defaultText, default: value, kind, values }: ValueDescription): string => {
  if (defaultText) return defaultText
  if (value === undefined) return 'none'
  if (Array.isArray(value)) {
    if (value.length === 0) return 'empty'
    return value.length === values?.length ? 'all' : value.map((item) => code(String(item))).join(', ')
  }
  return code(kind === 'text' ? String(value) : JSON.stringify(value))
}

const HEAD = ['Option', 'What it does', 'Value', 'Default']

const optionRow = (option: ValueDescription): string[] => [
  code(option.name),
  option.description,
  typeOf(option),
  defaultOf(option),
]

const section = (title: string): string => {
  const options = OPTION_DESCRIPTIONS.filter((option) => option.section === title)
  const parts = [`### ${title}`, table(HEAD, options.map(optionRow))]
  for (const { name, fields } of options)
    if (fields.length > 0) parts.push(`Each of \`${name}\` has:`, table(HEAD, fields.map(optionRow)))
  return parts.join('\n\n')
}

/** The page with its tables made anew. */
export const configPage = (page: string): string =>
  remade(page, MARKERS, OPTION_SECTIONS.map(({ title }) => section(title)).join('\n\n'))

const LIMIT_HEAD = ['Limit', 'Default', 'Beyond it', 'Counted']

const limitRow = (name: LimitOptionName): string[] => {
  const option = OPTION_DESCRIPTIONS.find((described) => described.name === name)
  if (!option) throw new Error(`there is no option ${name}`)
  const { beyond, counted = 'by its name' }: LimitNote = LIMIT_NOTES[name]
  return [code(name), `${defaultOf(option)}${option.unit ? ` ${option.unit}` : ''}`, beyond, counted]
}

/** The page with its table of limits made anew. */
export const securityPage = (page: string): string =>
  remade(page, MARKERS, table(LIMIT_HEAD, (Object.keys(LIMIT_NOTES) as LimitOptionName[]).map(limitRow)))

export const writeConfigDocs = (): void => {
  writeFileSync(SCHEMA_FILE, configSchema())
  writeFileSync(PAGE_FILE, configPage(readFileSync(PAGE_FILE, 'utf8')))
  writeFileSync(SECURITY_FILE, securityPage(readFileSync(SECURITY_FILE, 'utf8')))
}

if (import.meta.main) writeConfigDocs()
