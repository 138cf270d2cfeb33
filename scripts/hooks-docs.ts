/**
 * Writes what follows from the schemas of the application hooks: the tables of `docs/hooks.md`.
 * Run with `node --conditions=@fusewire/source scripts/hooks-docs.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { DECISIONS } from '../packages/server/src/hooks/answer-schemas.ts'
import { DECIDING_EVENTS, INFORMING_EVENTS } from '../packages/server/src/hooks/hook-events.ts'
import { COMMON_FIELDS, NOTICE_FIELDS, QUESTION_FIELDS } from '../packages/server/src/hooks/question-schemas.ts'
import { code, type Markers, remade, table } from './markdown.ts'

export const HOOKS_PAGE_FILE = new URL('../docs/hooks.md', import.meta.url)

const MARKERS: Markers = { of: 'hooks', by: 'hooks-docs.ts' }

type Json = z.core.JSONSchema.JSONSchema

const typeOf = (schema: Json): string => {
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum) return schema.enum.map((value) => code(String(value))).join(', ')
  if (schema.type === 'array') return 'list'
  if (schema.type === 'object') return 'object'
  if (schema.type === 'string') return 'text'
  return { integer: 'integer', boolean: 'true or false' }[schema.type as string] ?? 'any value'
}

const fieldRows = (fields: z.ZodRawShape): string[][] => {
  const { properties = {}, required = [] } = z.toJSONSchema(z.strictObject(fields), { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => {
    const json = schema as Json
    return [code(name), required.includes(name) ? 'always' : '', typeOf(json), json.description ?? '']
  })
}

const FIELD_HEAD = ['field', '', 'value', 'meaning']

const answerRows = (forms: Readonly<Record<string, z.ZodObject>>): string[][] =>
  Object.entries(forms).flatMap(([decision, { shape }]) => {
    const { decision: _, ...fields } = shape
    const rows = fieldRows(fields).map(([name = '', , value = '', meaning = '']) => [name, value, meaning])
    const [first = ['', '', ''], ...rest] = rows
    return [[code(decision), ...first], ...rest.map((row) => ['', ...row])]
  })

const sections = (): string[] => [
  '### What every question has, and every notice about a client',
  table(FIELD_HEAD, fieldRows(COMMON_FIELDS)),
  ...DECIDING_EVENTS.flatMap((event) => [
    `### ${event}`,
    table(FIELD_HEAD, fieldRows(QUESTION_FIELDS[event])),
    'Answered by:',
    table(['decision', 'may have', 'value', 'meaning'], answerRows(DECISIONS[event])),
  ]),
  ...INFORMING_EVENTS.flatMap((event) => [`### ${event}`, table(FIELD_HEAD, fieldRows(NOTICE_FIELDS[event]))]),
]

/** The page with its tables made anew. */
export const hooksPage = (page: string): string => remade(page, MARKERS, sections().join('\n\n'))

export const writeHooksDocs = (): void => {
  writeFileSync(HOOKS_PAGE_FILE, hooksPage(readFileSync(HOOKS_PAGE_FILE, 'utf8')))
}

if (import.meta.main) writeHooksDocs()
