/** What the state machines of connections and sessions do, read off the code that does it. */
import type { TransitionTable } from '../packages/engine/src/transition-table.ts'

/** One entry of a table: what an event means in a state. */
export interface Row {
  readonly state: string
  readonly event: string
  /** Under which conditions; empty when always. */
  readonly when: string
  readonly outcome: Outcome
}

export interface Outcome {
  /** Undefined for an event that cannot happen. */
  readonly to: string | undefined
  readonly effects: readonly string[]
}

export const IMPOSSIBLE: Outcome = { to: undefined, effects: [] }

/** The rows of a table that is data. */
export const tableRows = (table: TransitionTable<string, string, string>): Row[] =>
  Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([event, outcome]) => ({ state, event, when: '', outcome: outcome ?? IMPOSSIBLE })),
  )

/** Something that an outcome may depend on, with the words for each of its values. */
export type Dimension = readonly string[]

/** A choice of one word for each dimension. */
export type Choice = readonly string[]

export const isSameOutcome = (a: Outcome, b: Outcome): boolean => a.to === b.to && `${a.effects}` === `${b.effects}`

interface Case {
  readonly when: readonly string[]
  readonly outcome: Outcome
}

/**
 * Finds what an outcome depends on by trying every choice: splits by the first dimension that makes a difference, and so on. Words that
 * lead to the same are named together.
 */
const casesOf = (dimensions: readonly Dimension[], decide: (choice: Choice) => Outcome): readonly Case[] => {
  const [first, ...rest] = dimensions
  if (!first) return [{ when: [], outcome: decide([]) }]
  const branches = new Map<string, { words: string[]; cases: readonly Case[] }>()
  for (const word of first) {
    const cases = casesOf(rest, (others) => decide([word, ...others]))
    const key = JSON.stringify(cases)
    const known = branches.get(key)
    if (known) known.words.push(word)
    else branches.set(key, { words: [word], cases })
  }
  const [only, ...others] = branches.values()
  if (only && others.length === 0) return only.cases
  return [...branches.values()].flatMap(({ words, cases }) =>
    cases.map(({ when, outcome }) => ({ when: [words.join(' or '), ...when], outcome })),
  )
}

/** The rows of a machine that is functions: runs every event in every state under every choice. */
export const machineRows = (
  states: readonly string[],
  events: readonly string[],
  dimensions: readonly Dimension[],
  run: (state: string, event: string, choice: Choice) => Outcome,
): Row[] =>
  states.flatMap((state) =>
    events.flatMap((event) =>
      casesOf(dimensions, (choice) => run(state, event, choice)).map(({ when, outcome }) => ({
        state,
        event,
        when: when.join(', '),
        outcome,
      })),
    ),
  )
