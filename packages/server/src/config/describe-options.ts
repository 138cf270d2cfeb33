import { z } from 'zod'
import { OPTION_NOTES, type OptionNotes } from './option-notes.ts'
import { OPTION_SECTIONS, type OptionName, optionsSchema } from './options.ts'

export type OptionKind = 'boolean' | 'integer' | 'text' | 'list' | 'rules'

/** Everything that people and programs need to know of one option; documentation, flags and `fusewire init` are made from it. */
export interface OptionDescription extends OptionNotes {
  readonly name: OptionName
  readonly section: string
  readonly description: string
  readonly kind: OptionKind
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  /** The values that there are, of the option or of the items of a list. */
  readonly values?: readonly string[]
  /** `FUSEWIRE_PING_INTERVAL_MS`. */
  readonly environment: string
  /** `--ping-interval-ms`. */
  readonly flag: string
}

const separated = (name: string, separator: string): string =>
  name.replaceAll(/[A-Z]/gu, (letter) => `${separator}${letter.toLowerCase()}`)

const kindOf = (name: OptionName, type: unknown): OptionKind => {
  if (name === 'rules') return 'rules'
  return type === 'boolean' || type === 'integer' ? type : type === 'array' ? 'list' : 'text'
}

const describe = (name: OptionName, section: string): OptionDescription => {
  const schema = optionsSchema.shape[name]
  const json = z.toJSONSchema(schema, { io: 'input' })
  const items = typeof json.items === 'object' && !Array.isArray(json.items) ? json.items : undefined
  const values = json.enum ?? items?.enum
  return {
    name,
    section,
    description: json.description ?? '',
    kind: kindOf(name, json.type),
    ...(json.default === undefined ? {} : { default: json.default }),
    ...(json.minimum === undefined ? {} : { minimum: json.minimum }),
    ...(json.maximum === undefined ? {} : { maximum: json.maximum }),
    ...(values === undefined ? {} : { values: values.map(String) }),
    ...OPTION_NOTES.get(schema),
    environment: `FUSEWIRE_${separated(name, '_').toUpperCase()}`,
    flag: `--${separated(name, '-')}`,
  }
}

/** All options, in the order in which people read about them. */
export const OPTION_DESCRIPTIONS: readonly OptionDescription[] = OPTION_SECTIONS.flatMap(({ title, options }) =>
  (Object.keys(options) as OptionName[]).map((name) => describe(name, title)),
)
