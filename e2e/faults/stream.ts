import type { FusewireInput } from '@fusewire/server'
import { Journal } from './journal.ts'
import type { Promised } from './judge.ts'

/** A channel of a run, with what its rule promises and what has been published to it. */
export interface Stream {
  readonly name: string
  readonly promised: Promised
  /** It keeps a document, and what is published are patches of it. */
  readonly isState: boolean
  readonly journal: Journal
}

const open = { subscribe: 'anyone', publish: 'anyone', history: 'anyone' } as const
const PLENTY_BYTES = 1_073_741_824

/** Channels of different rules; what `clients` publish goes where nothing may be lost, so that all of it is seen. */
const SORTS = {
  long: { rule: { historySize: 100_000, historyBytes: PLENTY_BYTES }, recovery: 'stream', clients: true },
  busy: { rule: { historySize: 100_000, historyBytes: PLENTY_BYTES }, recovery: 'stream', clients: true },
  short: { rule: { historySize: 8, historyBytes: PLENTY_BYTES }, recovery: 'stream', clients: false },
  state: { rule: { historySize: 20, historyBytes: PLENTY_BYTES, state: true }, recovery: 'stream', clients: false },
  latest: { rule: { historySize: 8, historyBytes: PLENTY_BYTES }, recovery: 'latest', clients: false },
  none: { rule: { historySize: 8, historyBytes: PLENTY_BYTES }, recovery: 'none', clients: false },
  light: { rule: { historySize: 100_000, historyBytes: 4096 }, recovery: 'stream', clients: false },
} as const

export type StreamSort = keyof typeof SORTS

export const RULES: NonNullable<FusewireInput['rules']> = Object.entries(SORTS).map(([sort, { rule, recovery }]) => ({
  pattern: `${sort}:*`,
  ...open,
  ...rule,
  recovery,
}))

/** One new channel of each sort. */
export const createStreams = (name: string): Stream[] =>
  Object.entries(SORTS).map(([sort, { rule, recovery }]) => ({
    name: `${sort}:${name}`,
    promised: { recovery, ...rule },
    isState: 'state' in rule,
    journal: new Journal(),
  }))

/** Whether clients may publish there. */
export const isForClients = ({ name }: Stream): boolean => SORTS[name.split(':')[0] as StreamSort].clients
