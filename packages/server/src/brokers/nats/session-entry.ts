/**
 * How a session stands in its bucket:
 * - `kept`: it is its owner's; its TTL may have ended
 * - `ending`: it has been given to its owner to end, until the lease has passed
 * - `gone`: it has ended, and may be put again by whoever had it; a marker, so that watchers hear of it
 * - `trace`: it has ended after several nodes have had it, and nobody may put it again
 */
export type SessionKind = 'kept' | 'ending' | 'gone' | 'trace'

/** What the bucket says of a session besides its record. */
export interface SessionMeta {
  readonly kind: SessionKind
  /** The node that it belongs to, or that ended it; as a token. */
  readonly owner: string
  /** When its TTL, its lease or its trace ends, in milliseconds of the server. */
  readonly end: number
  /** Whether its TTL goes on for as long as its owner's lease does. */
  readonly isLeased: boolean
  /** Whether more than one node has had it. */
  readonly hasMoved: boolean
}

const FORMAT = /^(kept|ending|gone|trace) (\d+) (\S+) ([lm-]+)$/u

export const writeSessionMeta = ({ kind, owner, end, isLeased, hasMoved }: SessionMeta): string =>
  `${kind} ${Math.round(end)} ${owner} ${isLeased ? 'l' : ''}${hasMoved ? 'm' : ''}-`

/** Undefined for what no Fusewire has written. */
export const readSessionMeta = (meta: string): SessionMeta | undefined => {
  const [, kind, end, owner, flags] = FORMAT.exec(meta) ?? []
  if (kind === undefined || owner === undefined || flags === undefined) return undefined
  const [isLeased, hasMoved] = [flags.includes('l'), flags.includes('m')]
  return { kind: kind as SessionKind, end: Number(end), owner, isLeased, hasMoved }
}

/** A session as the index has it. */
export interface IndexedSession extends SessionMeta {
  readonly id: string
  readonly revision: number
  /** When it was written, in milliseconds of the server. */
  readonly writtenAt: number
  /** Which reading of the bucket it is from. */
  readonly reading: number
  /** Where it is leased and this node's: when its TTL ends, unless it is refreshed. */
  until: number
  dueAt: number
}

export const isAlive = ({ kind }: SessionMeta): boolean => kind === 'kept' || kind === 'ending'
