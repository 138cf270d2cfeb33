/**
 * Writes what follows from the wire protocol's own tables: `docs/errors.md`, the tables of `spec/protocol.md`, and the hash of the
 * format in `spec/vectors/schema-hash.json`. Run with `npm run docs`.
 *
 * The tables of fields have one column that is written by hand, the meaning; it is kept, and asked for where a field has none.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import {
  ALPN,
  CLIENT_MESSAGES,
  closeAction,
  ECHO_PATH,
  ERRORS,
  type ErrorEntry,
  LIMITS,
  PATHS,
  PROTOCOL_VERSION,
  RESULTS,
  SERVER_MESSAGES,
  SUBPROTOCOL,
} from '../packages/protocol/src/index.ts'
import { tags } from '../packages/protocol/src/messages/fields.ts'
import { member } from '../packages/protocol/src/messages/member.ts'
import { position } from '../packages/protocol/src/messages/position.ts'
import { publicationFields } from '../packages/protocol/src/messages/publication.ts'
import { subscription } from '../packages/protocol/src/messages/subscribe.ts'
import type { Schema, Shape } from '../packages/protocol/src/schema.ts'
import { code, table } from './markdown.ts'

export const PAGE_FILE = new URL('../spec/protocol.md', import.meta.url)
export const ERRORS_FILE = new URL('../docs/errors.md', import.meta.url)
export const HASH_FILE = new URL('../spec/vectors/schema-hash.json', import.meta.url)

/** The parts that messages share, under the headings that describe them. */
const STRUCTURES = { position, publication: publicationFields, member, subscription } as const

/** Every table of fields, by the words of its marker. */
const FIELD_TABLES: Readonly<Record<string, Schema<unknown>>> = Object.fromEntries(
  Object.entries({ client: CLIENT_MESSAGES, server: SERVER_MESSAGES, result: RESULTS, structure: STRUCTURES }).flatMap(
    ([group, schemas]) => Object.entries<Schema<unknown>>(schemas).map(([name, schema]) => [`${group} ${name}`, schema]),
  ),
)

const NAMES = new Map<Shape, string>([
  [tags.shape, '[tags](#tags)'],
  [position.shape, '[position](#position)'],
  [publicationFields.shape, '[publication](#listed-publication)'],
  [member.shape, '[member](#member)'],
  [subscription.shape, '[subscription](#subscription)'],
])

const valueText = (shape: Shape): string => {
  const name = NAMES.get(shape)
  if (name) return name
  if (Array.isArray(shape)) {
    const [item, limit] = shape as readonly Shape[]
    return `list of ${valueText(item ?? 'any')}${limit === undefined ? '' : `, ${String(limit)}`}`
  }
  if (typeof shape !== 'string') throw new TypeError(`a structure without a name: ${JSON.stringify(shape)}`)
  const [, min, max] = /^string (\d+)\.\.(\d+)$/.exec(shape) ?? []
  if (max !== undefined) return min === '0' ? `text, up to ${max}` : `text, ${min} to ${max}`
  if (shape === 'any') return 'any value'
  if (shape === 'boolean') return 'true or false'
  return shape.replace('>=', '≥')
}

/** The cells that were written by hand, by field. */
const meaningsIn = (block: string): Map<string, string> =>
  new Map([...block.matchAll(/^\| `(\w+)` \|.*\| ([^|]*) \|$/gm)].map(([, name = '', meaning = '']) => [name, meaning]))

const fieldTable = (marker: string, block: string): string => {
  const schema = FIELD_TABLES[marker]
  if (!schema) throw new Error(`spec/protocol.md describes "${marker}", which does not exist`)
  const meanings = meaningsIn(block)
  const rows = Object.entries(schema.shape).flatMap(([key, shape]) => {
    const name = key.replace('?', '')
    if (name === 'type') return []
    const meaning = meanings.get(name)
    if (!meaning) throw new Error(`spec/protocol.md: under "${marker}", add the row: | \`${name}\` | | | what it means |`)
    return [[code(name), key.endsWith('?') ? '' : 'always', valueText(shape as Shape), meaning]]
  })
  return rows.length === 0 ? 'No fields.' : table(['field', '', 'value', 'meaning'], rows)
}

const LIMIT_WORDS: Readonly<Record<keyof typeof LIMITS, string>> = {
  channelLength: 'characters of a channel name',
  tokenLength: 'characters of a token, or of a resume token',
  subscriptionsPerConnect: 'subscriptions in one `connect`',
  tags: 'tags of a publication or a filter',
  tagLength: "characters of a tag's name, and of its value",
  keyLength: 'characters of an idempotency key',
  methodLength: 'characters of an rpc method',
  historyLimit: 'publications in one answer to `history`',
  depth: 'arrays and objects inside one another that a server ever sends',
}

const limitTable = (): string =>
  table(
    ['limit', 'at most'],
    Object.entries(LIMIT_WORDS).map(([name, words]) => [words, String(LIMITS[name as keyof typeof LIMITS])]),
  )

const nameTable = (): string =>
  table(
    ['name', 'value'],
    [
      ['WebSocket', code(PATHS.webSocket)],
      ['WebSocket echo', code(ECHO_PATH)],
      ['SSE', code(PATHS.sse)],
      ['HTTP streaming', code(PATHS.stream)],
      ['long polling', code(PATHS.poll)],
      ['numbered upstream', code(PATHS.send)],
      ['WebSocket subprotocol, JSON in text frames', code(SUBPROTOCOL.json)],
      ['WebSocket subprotocol, MessagePack in binary frames', code(SUBPROTOCOL.msgpack)],
      ['ALPN protocol of raw TCP', code(ALPN)],
    ],
  )

const contentOf = (marker: string, block: string): string => {
  if (marker === 'limits') return limitTable()
  if (marker === 'names') return nameTable()
  return fieldTable(marker, block)
}

/** The page with its tables made anew. */
export const protocolPage = (page: string): string => {
  const found: string[] = []
  const made = page.replaceAll(/<!-- made of: ([\w ]+) -->\n([\s\S]*?)<!-- end -->/g, (_, marker: string, block: string) => {
    found.push(marker)
    return `<!-- made of: ${marker} -->\n\n${contentOf(marker, block)}\n\n<!-- end -->`
  })
  for (const marker of [...Object.keys(FIELD_TABLES), 'limits', 'names']) {
    if (found.filter((name) => name === marker).length !== 1)
      throw new Error(`spec/protocol.md must have <!-- made of: ${marker} --> once, followed by <!-- end -->`)
  }
  return made
}

const ACTIONS = {
  reconnect: [
    'Reconnect',
    'When it closes the connection: reconnect with back-off, and resume. Nothing is wrong with the client.',
  ],
  authenticate: ['Authenticate', 'When it closes the connection: reconnect once with a new token; if that fails too, stop.'],
  stop: ['Stop', 'When it closes the connection: do not come back. The client or its configuration has to change.'],
} as const

const errorTable = (entries: readonly (readonly [string, ErrorEntry])[], closes: boolean): string =>
  table(
    closes ? ['code', 'close code', 'HTTP', 'help'] : ['code', 'HTTP', 'try again', 'help'],
    entries.map(([name, { closeCode, httpStatus, retryable, help }]) =>
      closes
        ? [code(name), String(closeCode), String(httpStatus), help]
        : [code(name), String(httpStatus), retryable ? 'yes' : 'no', help],
    ),
  )

/** `docs/errors.md`. */
export const errorPage = (): string => {
  const entries = Object.entries<ErrorEntry>(ERRORS)
  const closing = entries.flatMap(([name, entry]) =>
    entry.closeCode !== undefined && entry.closeCode >= 4000 ? [[name, entry, closeAction(entry.closeCode)] as const] : [],
  )
  const sections = Object.entries(ACTIONS).map(([action, [title, text]]) => {
    const rows = closing.filter(([, , of]) => of === action).map(([name, entry]) => [name, entry] as const)
    return `## ${title}\n\n${text}\n\n${errorTable(rows, true)}`
  })
  const normal = entries.filter(([, { closeCode }]) => closeCode !== undefined && closeCode < 4000)
  const answers = entries.filter(([, { closeCode }]) => closeCode === undefined)
  return `<!-- Written by scripts/protocol-docs.ts from packages/protocol/src/errors.ts. Do not edit. -->

# Errors

Every error has one code, wherever it appears: in an \`error\` or \`disconnect\` message, in the body of an HTTP answer
(\`{"error": {"code", "message", "retryable"}}\`), in the log, and in a \`FusewireError\`. Programs branch on the code; the message is for
people. A code that a client does not know is treated by \`retryable\`, and a close code by its range.

${sections.join('\n\n')}

## A normal end

${errorTable(normal, true)}

## Answers

The request has failed and the connection stays. *Try again*: the same request can succeed later, unchanged.

${errorTable(answers, false)}
`
}

const sorted = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, field]) => [name, sorted(field)]))
}

export interface SchemaHash {
  readonly version: number
  readonly sha256: string
}

/** The hash of everything that goes over the wire. The order of fields means nothing, so it does not count. */
export const schemaHash = (): SchemaHash => {
  const shapes = Object.fromEntries(Object.entries(FIELD_TABLES).map(([marker, { shape }]) => [marker, shape]))
  return {
    version: PROTOCOL_VERSION,
    sha256: createHash('sha256')
      .update(JSON.stringify(sorted(shapes)))
      .digest('hex'),
  }
}

const writeHash = (): void => {
  const now = schemaHash()
  const kept = existsSync(HASH_FILE) ? (JSON.parse(readFileSync(HASH_FILE, 'utf8')) as SchemaHash) : undefined
  if (kept?.version === now.version && kept.sha256 !== now.sha256)
    throw new Error('the wire format has changed: raise PROTOCOL_VERSION (before its first release: delete schema-hash.json)')
  writeFileSync(HASH_FILE, `${JSON.stringify(now, null, 2)}\n`)
}

export const writeProtocolDocs = (): void => {
  writeFileSync(PAGE_FILE, protocolPage(readFileSync(PAGE_FILE, 'utf8')))
  writeFileSync(ERRORS_FILE, errorPage())
  writeHash()
}

if (import.meta.main) writeProtocolDocs()
