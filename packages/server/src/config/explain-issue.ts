import type { z } from 'zod'
import type { ConfigurationProblem } from './configuration-error.ts'
import { nearestKey } from './nearest-key.ts'
import { OPTION_NOTES, type OptionNotes } from './option-notes.ts'
import { readQuantity } from './quantity.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** `rules[0].publish`. */
export const pathText = (path: Path): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`)).join('')

/** The schema at a path, without its default and optional wrappers, with the notes of the outermost schema that has some. */
const schemaAt = (root: z.core.$ZodType, path: Path): { schema: z.core.$ZodType; notes: OptionNotes } => {
  let schema = root
  let notes: OptionNotes = {}
  const unwrap = () => {
    for (;;) {
      notes = { ...OPTION_NOTES.get(schema as z.ZodType), ...notes }
      const inner = (schema._zod.def as { innerType?: z.core.$ZodType }).innerType
      if (!inner) return
      schema = inner
    }
  }
  unwrap()
  for (const key of path) {
    const def = schema._zod.def as { shape?: Record<string, z.core.$ZodType>; element?: z.core.$ZodType }
    const next = typeof key === 'number' ? def.element : def.shape?.[String(key)]
    if (!next) break
    schema = next
    notes = notes.secret ? { secret: true } : {}
    unwrap()
  }
  return { schema, notes }
}

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], root)

const shown = (value: unknown, notes: OptionNotes): string => {
  if (notes.secret) return 'a value that is not shown'
  const json = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return json.length > 60 ? `${json.slice(0, 57)}...` : json
}

const numberOf = (unit: OptionNotes['unit']): string => (unit ? `a number of ${unit}` : 'a whole number')

const NOTHING = 'has no value: give it one, or leave it out'

const explainType = (expected: string, value: unknown, notes: OptionNotes): string => {
  if (value === undefined) return 'is missing'
  if (value === null) return NOTHING
  const given = shown(value, notes)
  switch (expected) {
    case 'number':
    case 'int': {
      const meant =
        typeof value === 'string' ? readQuantity(value, notes.unit) : typeof value === 'number' ? Math.round(value) : undefined
      const advice = meant === undefined || !Number.isSafeInteger(meant) ? '' : `: write ${meant}`
      return `is ${numberOf(notes.unit)}${advice}, not ${given}`
    }
    case 'boolean':
      return `is true or false, not ${given}`
    case 'string':
      return typeof value === 'number' || typeof value === 'boolean'
        ? `is a text: put it into quotes${notes.secret ? '' : `, "${value}"`}`
        : `is a text, not ${given}`
    case 'array':
      return typeof value === 'string' && !notes.secret ? `is a list: write [${value}], not ${given}` : `is a list, not ${given}`
    case 'object':
      return `is a set of options, not ${given}`
    default:
      return `must be of type ${expected}, not ${given}`
  }
}

const explainRange = (
  issue: Issue & { code: 'too_small' | 'too_big' },
  value: unknown,
  notes: OptionNotes,
  upper: number,
): string => {
  const limit = Number(issue.code === 'too_small' ? issue.minimum : issue.maximum)
  const bound = issue.code === 'too_small' ? 'at least' : 'at most'
  if (issue.origin === 'array')
    return limit === 1 ? 'is empty: name at least one, or leave it out' : `has ${bound} ${limit} items`
  if (issue.origin === 'string') {
    if (value === '') return 'is empty: give a value, or leave it out'
    return issue.message
  }
  const unit = notes.unit ? ` ${notes.unit}` : ''
  const said = `is ${bound} ${limit}${unit}, not ${shown(value, notes)}`
  // Somebody who writes 25 for an interval has most likely thought of seconds.
  const seconds = Number(value) * 1000
  const guess = notes.unit === 'milliseconds' && issue.code === 'too_small' && seconds >= limit && seconds <= upper
  return guess ? `${said}; for ${String(value)} seconds write ${seconds}` : said
}

const upperBound = (schema: z.core.$ZodType): number =>
  (schema._zod.bag as { maximum?: number }).maximum ?? Number.POSITIVE_INFINITY

/** Turns what the schema found into words that say what to write instead. */
export const explainIssue = (root: z.core.$ZodType, input: unknown, issue: Issue): ConfigurationProblem[] => {
  const { schema, notes } = schemaAt(root, issue.path)
  const value = valueAt(input, issue.path)
  const option = pathText(issue.path)
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys((schema._zod.def as { shape?: object }).shape ?? {})
    return issue.keys.map((key) => {
      const nearest = nearestKey(key, known)
      const advice = nearest ? `did you mean ${nearest}?` : 'see docs/configuration.md for the list'
      return { option: pathText([...issue.path, key]), message: `is not an option; ${advice}` }
    })
  }
  return [{ ...(option === '' ? {} : { option }), message: explain(issue, schema, value, notes) }]
}

const explain = (issue: Issue, schema: z.core.$ZodType, value: unknown, notes: OptionNotes): string => {
  switch (issue.code) {
    case 'invalid_type':
      return explainType(issue.expected, value, notes)
    case 'too_small':
    case 'too_big':
      return explainRange(issue, value, notes, upperBound(schema))
    case 'invalid_value': {
      const nearest = typeof value === 'string' ? nearestKey(value, issue.values.map(String)) : undefined
      const list = issue.values.join(', ')
      return `is one of ${list}, not ${shown(value, notes)}${nearest ? `; did you mean ${nearest}?` : ''}`
    }
    case 'invalid_union':
      return explainChoice(issue, schema, value, notes)
    default:
      return issue.message
  }
}

/** Of a number or one word: what is wrong with the number, or what else to write. */
const explainChoice = (
  issue: Issue & { code: 'invalid_union' },
  schema: z.core.$ZodType,
  value: unknown,
  notes: OptionNotes,
): string => {
  if (value === null) return NOTHING
  const found = issue.errors.flat()
  const [ofNumber] = found
  if (typeof value === 'number' && ofNumber) return explain(ofNumber, schema, value, notes)
  const words = found.flatMap((one) => (one.code === 'invalid_value' ? one.values.map(String) : []))
  const nearest = typeof value === 'string' ? nearestKey(value, words) : undefined
  return `is ${[numberOf(notes.unit), ...words].join(', or ')}, not ${shown(value, notes)}${nearest ? `; did you mean ${nearest}?` : ''}`
}
