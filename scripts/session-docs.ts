/**
 * Writes the tables and pictures of `spec/sessions.md` from the state machines themselves. Run with `npm run docs`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { ConnectionState } from '../packages/client/src/connection-state.ts'
import { CONNECTION_TABLE, type ConnectionPhase } from '../packages/engine/src/connection-lifecycle.ts'
import { SESSION_TABLE, type SessionPhase } from '../packages/engine/src/session-lifecycle.ts'
import { DRAIN_TABLE } from '../packages/server/src/draining/drain-state.ts'
import { clientRows } from './client-lifecycle.ts'
import { explainedAbove, explainedEach } from './lifecycle-glossary.ts'
import { isSameOutcome, type Row, tableRows } from './lifecycle-rows.ts'
import { code, table } from './markdown.ts'

export const PAGE_FILE = new URL('../spec/sessions.md', import.meta.url)

const CONNECTION_FILE = new URL('../packages/engine/src/connection-lifecycle.ts', import.meta.url)
const SESSION_FILE = new URL('../packages/engine/src/session-lifecycle.ts', import.meta.url)
const NODE_FILE = new URL('../packages/server/src/draining/drain-state.ts', import.meta.url)
const CLIENT_FILE = new URL('../packages/client/src/connection-state.ts', import.meta.url)

const WORDS = ['connecting', 'connected', 'disconnecting', 'disconnected', 'error', 'degraded'] as const
type Word = (typeof WORDS)[number]

interface Machine {
  readonly initial: string
  /** Absent where a state says nothing of a connection. */
  readonly words?: Readonly<Record<string, Word>>
  readonly rows: readonly Row[]
  readonly states: ReadonlyMap<string, string>
  readonly events: ReadonlyMap<string, string>
  readonly effects: ReadonlyMap<string, string>
}

const unique = (words: readonly string[]): string[] => [...new Set(words)]
const statesOf = (rows: readonly Row[]): string[] => unique(rows.map(({ state }) => state))
const eventsOf = (rows: readonly Row[]): string[] => unique(rows.map(({ event }) => event))
const effectsOf = (rows: readonly Row[]): string[] => unique(rows.flatMap(({ outcome }) => outcome.effects))

const connectionRows = tableRows(CONNECTION_TABLE)
const sessionRows = tableRows(SESSION_TABLE)
const nodeRows = tableRows(DRAIN_TABLE)
const rowsOfClient = clientRows()

const MACHINES: Readonly<Record<'connection' | 'session' | 'node' | 'client', Machine>> = {
  connection: {
    initial: 'silent',
    words: {
      silent: 'connecting',
      greeted: 'connecting',
      connected: 'connected',
      disconnecting: 'disconnecting',
      disconnected: 'disconnected',
    } satisfies Record<ConnectionPhase, Word>,
    rows: connectionRows,
    states: explainedAbove(CONNECTION_FILE, 'ConnectionPhase', statesOf(connectionRows)),
    events: explainedAbove(CONNECTION_FILE, 'ConnectionEvent', eventsOf(connectionRows)),
    effects: explainedAbove(CONNECTION_FILE, 'ConnectionEffect', effectsOf(connectionRows)),
  },
  session: {
    initial: 'attached',
    words: { attached: 'connected', detached: 'error', ended: 'disconnected' } satisfies Record<SessionPhase, Word>,
    rows: sessionRows,
    states: explainedAbove(SESSION_FILE, 'SessionPhase', statesOf(sessionRows)),
    events: explainedAbove(SESSION_FILE, 'SessionEvent', eventsOf(sessionRows)),
    effects: explainedAbove(SESSION_FILE, 'SessionEffect', effectsOf(sessionRows)),
  },
  node: {
    initial: 'serving',
    rows: nodeRows,
    states: explainedAbove(NODE_FILE, 'DrainState', statesOf(nodeRows)),
    events: explainedAbove(NODE_FILE, 'DrainEvent', eventsOf(nodeRows)),
    effects: explainedAbove(NODE_FILE, 'DrainEffect', effectsOf(nodeRows)),
  },
  client: {
    initial: 'idle',
    words: {
      idle: 'disconnected',
      authorizing: 'connecting',
      connecting: 'connecting',
      connected: 'connected',
      waiting: 'error',
      degraded: 'degraded',
      closing: 'disconnecting',
      closed: 'disconnected',
    } satisfies Record<ConnectionState['name'], Word>,
    rows: rowsOfClient,
    states: explainedAbove(CLIENT_FILE, 'ConnectionState', statesOf(rowsOfClient)),
    events: explainedEach(CLIENT_FILE, 'ConnectionEvent', eventsOf(rowsOfClient)),
    effects: explainedAbove(CLIENT_FILE, 'Effect', effectsOf(rowsOfClient)),
  },
}

const codes = (words: readonly string[]): string => words.map(code).join(', ')

/** Which states of which machine stand for each word. */
const wordTable = (): string =>
  table(
    ['word', 'connection, on the server', 'session, on the server', 'client'],
    WORDS.map((word) => [
      `**${word}**`,
      ...Object.values(MACHINES).flatMap(({ words }) =>
        words ? [codes(Object.keys(words).filter((state) => words[state] === word)) || '—'] : [],
      ),
    ]),
  )

const glossary = (title: string, meanings: ReadonlyMap<string, string>): string =>
  table(
    [title, 'meaning'],
    [...meanings].map(([word, meaning]) => [code(word), meaning]),
  )

const nextCell = ({ state, outcome: { to } }: Row): string => {
  if (to === undefined) return 'cannot happen'
  return to === state ? 'stays' : code(to)
}

/** Rows of one state that say the same become one. */
const merged = (rows: readonly Row[]): { readonly row: Row; readonly events: string[] }[] => {
  const groups: { readonly row: Row; readonly events: string[] }[] = []
  for (const row of rows) {
    const like = groups.find(({ row: { state, when, outcome } }) => {
      return state === row.state && when === '' && row.when === '' && isSameOutcome(outcome, row.outcome)
    })
    if (like) like.events.push(row.event)
    else groups.push({ row, events: [row.event] })
  }
  return groups
}

const transitionTable = ({ rows }: Machine): string => {
  const hasConditions = rows.some(({ when }) => when !== '')
  const lines = merged(rows).map(({ row, events }) => [
    code(row.state),
    codes(events),
    ...(hasConditions ? [row.when] : []),
    nextCell(row),
    codes(row.outcome.effects),
  ])
  return table(['state', 'event', ...(hasConditions ? ['when'] : []), 'next', 'to do'], lines)
}

/** https://mermaid.js.org/syntax/stateDiagram.html */
const picture = ({ initial, words, rows }: Machine): string => {
  const edges = new Map<string, Set<string>>()
  for (const { state, event, outcome } of rows) {
    if (outcome.to === undefined || outcome.to === state) continue
    const edge = `${state} --> ${outcome.to}`
    edges.set(edge, (edges.get(edge) ?? new Set()).add(event))
  }
  const names = statesOf(rows).map((state) => {
    const word = words?.[state] ?? state
    return state === word ? state : `state "${state} (${word})" as ${state}`
  })
  const arrows = [...edges].map(([edge, events]) => `${edge}: ${[...events].join(', ')}`)
  const lines = ['stateDiagram-v2', ...[...names, `[*] --> ${initial}`, ...arrows].map((text) => `  ${text}`)]
  return ['```mermaid', ...lines, '```'].join('\n')
}

const section = (machine: Machine): string =>
  [
    picture(machine),
    glossary('state', machine.states),
    glossary('event', machine.events),
    glossary('to do', machine.effects),
    transitionTable(machine),
  ].join('\n\n')

const CONTENT: Readonly<Record<string, () => string>> = {
  words: wordTable,
  ...Object.fromEntries(Object.entries(MACHINES).map(([name, machine]) => [name, () => section(machine)])),
}

/** The page with its tables and pictures made anew. */
export const sessionPage = (page: string): string => {
  const found: string[] = []
  const made = page.replaceAll(/<!-- made of: (\w+) -->\n[\s\S]*?<!-- end -->/g, (_, marker: string) => {
    const content = CONTENT[marker]
    if (!content) throw new Error(`spec/sessions.md describes "${marker}", which does not exist`)
    found.push(marker)
    return `<!-- made of: ${marker} -->\n\n${content()}\n\n<!-- end -->`
  })
  for (const marker of Object.keys(CONTENT)) {
    if (found.filter((name) => name === marker).length !== 1)
      throw new Error(`spec/sessions.md must have <!-- made of: ${marker} --> once, followed by <!-- end -->`)
  }
  return made
}

export const writeSessionDocs = (): void => {
  writeFileSync(PAGE_FILE, sessionPage(readFileSync(PAGE_FILE, 'utf8')))
}

if (import.meta.main) writeSessionDocs()
