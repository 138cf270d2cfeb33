import { z } from 'zod'
import { OPTION_NOTES, type OptionNotes } from './option-notes.ts'
import { OPTION_SECTIONS, type OptionName, optionsSchema } from './options.ts'

/** `records`: a list of sets of options of their own, such as rules. */
export type OptionKind = 'boolean' | 'integer' | 'text' | 'list' | 'records'

/** What people and programs need to know of a value: of an option, or of one of the options of a record. */
export interface ValueDescription extends OptionNotes {
  readonly name: string
  readonly description: string
  readonly kind: OptionKind
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  /** What may stand in place of a number. */
  readonly word?: string
  /** The values that there are, of the option or of the items of a list. */
  readonly values?: readonly string[]
}

/** Documentation, flags and `fusewire init` are made from it. */
export interface OptionDescription extends ValueDescription {
  readonly name: OptionName
  readonly section: string
  /** `FUSEWIRE_PING_INTERVAL_MS`. */
  readonly environment: string
  /** `--ping-interval-ms`. */
  readonly flag: string
  /** Of `records`: the options of each. */
  readonly fields: readonly ValueDescription[]
}

const separated = (name: string, separator: string): string =>
  name.replaceAll(/[A-Z]/gu, (letter) => `${separator}${letter.toLowerCase()}`)

const kindOf = (type: unknown, items: unknown): OptionKind => {
  if (type === 'boolean' || type === 'integer') return type
  if (type !== 'array') return 'text'
  return (items as { type?: unknown } | undefined)?.type === 'object' ? 'records' : 'list'
}

type JsonSchema = z.core.JSONSchema.JSONSchema

/** Of a choice between a number and one word: both of them. */
const numberOrWord = (choice: readonly JsonSchema[] = []): { readonly number?: JsonSchema; readonly word?: string } => {
  const number = choice.find(({ type }) => type === 'integer')
  const word = choice.find(({ const: value }) => typeof value === 'string')?.const
  return { ...(number && { number }), ...(typeof word === 'string' && { word }) }
}

const describe = <Name extends string>(name: Name, schema: z.ZodType): ValueDescription & { readonly name: Name } => {
  const written: JsonSchema = z.toJSONSchema(schema, { io: 'input' })
  const { number, word } = numberOrWord(written.anyOf)
  const json: JsonSchema = { ...written, ...number }
  const items = typeof json.items === 'object' && !Array.isArray(json.items) ? json.items : undefined
  const values = json.enum ?? items?.enum
  return {
    name,
    description: json.description ?? '',
    kind: kindOf(json.type, items),
    ...(json.default === undefined ? {} : { default: json.default }),
    ...(json.minimum === undefined ? {} : { minimum: json.minimum }),
    ...(json.maximum === undefined ? {} : { maximum: json.maximum }),
    ...(word === undefined ? {} : { word }),
    ...(values === undefined ? {} : { values: values.map(String) }),
    ...OPTION_NOTES.get(schema),
  }
}

/** Of a list of records, the options of each. */
const fieldsOf = (schema: z.ZodType): readonly ValueDescription[] => {
  const inner: unknown = schema instanceof z.ZodDefault ? schema.unwrap() : schema
  const element = inner instanceof z.ZodArray ? inner.element : undefined
  if (!(element instanceof z.ZodObject)) return []
  return Object.entries<z.ZodType>(element.shape).map(([name, field]) => describe(name, field))
}

/** All options, in the order in which people read about them. */
export const OPTION_DESCRIPTIONS: readonly OptionDescription[] = OPTION_SECTIONS.flatMap(({ title, options }) =>
  (Object.keys(options) as OptionName[]).map((name) => ({
    ...describe(name, optionsSchema.shape[name]),
    section: title,
    environment: `FUSEWIRE_${separated(name, '_').toUpperCase()}`,
    flag: `--${separated(name, '-')}`,
    fields: fieldsOf(optionsSchema.shape[name]),
  })),
)
