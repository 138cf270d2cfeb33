import type { Position, Publication } from '@fusewire/protocol'
import { after } from './after.ts'
import type { Awaitable, Broker, HistoryPage } from './ports/broker.ts'
import type { ChannelRule } from './rule.ts'

/**
 * Where a subscription goes on: after a position, from `nowhere` known (its session was resumed, but the client has not said how far it
 * has read), or undefined for one that only begins.
 */
export type Since = Position | 'nowhere' | undefined

/** What was read of a channel for those that go on at the same place; what each of them is told is {@link recoveryOf}'s to say. */
export type Reading =
  | { readonly kind: 'stream'; readonly position: Position; readonly page: HistoryPage | undefined }
  | { readonly kind: 'latest'; readonly position: Position; readonly newestFirst: readonly Publication[] }
  | { readonly kind: 'none'; readonly position: Position }
  | { readonly kind: 'state'; readonly position: Position; readonly document?: unknown }

/** What a subscription is told with `subscribed`. */
export interface Recovery {
  readonly position: Position
  /** Absent when there was nothing to recover. */
  readonly recovered?: boolean
  readonly publications: readonly Publication[]
  readonly document?: unknown
}

/**
 * Reads what the rule's recovery mode needs, in this turn where the broker answers at once. With `isFiltered` somebody wants only some of
 * the publications.
 */
export const readChannel = (
  broker: Broker,
  channel: string,
  rule: Pick<ChannelRule, 'state' | 'recovery'>,
  { since, isFiltered }: { readonly since: Since; readonly isFiltered: boolean },
): Awaitable<Reading> => {
  if (rule.recovery === 'latest')
    return after(
      broker.history(channel, { reverse: true, ...(!isFiltered && { limit: 1 }) }),
      ({ position, publications }): Reading => ({ kind: 'latest', position, newestFirst: publications }),
    )
  if (rule.recovery === 'none')
    return after(broker.history(channel, { limit: 0 }), ({ position }): Reading => ({ kind: 'none', position }))
  const readNow = (): Awaitable<Reading> =>
    rule.state
      ? after(broker.state(channel), (state): Reading => ({ kind: 'state', ...state }))
      : after(broker.history(channel, { limit: 0 }), ({ position }): Reading => ({ kind: 'stream', position, page: undefined }))
  if (typeof since !== 'object') return readNow()
  return after(broker.history(channel, { since }), (page) =>
    page.complete || !rule.state ? { kind: 'stream', position: page.position, page } : readNow(),
  )
}

/** What one of them is told, of the publications that it wants. */
export const recoveryOf = (reading: Reading, since: Since, wants: (publication: Publication) => boolean): Recovery => {
  const { kind, position } = reading
  if (kind === 'latest') return latestOf(reading.newestFirst, { position, since, wants })
  if (kind === 'state')
    return {
      position,
      publications: [],
      ...(since !== undefined && { recovered: false }),
      ...(reading.document !== undefined && { document: reading.document }),
    }
  if (since === undefined) return { position, publications: [] }
  if (kind === 'none') return { position, recovered: since !== 'nowhere' && isSamePosition(since, position), publications: [] }
  const recovered = reading.page?.complete === true
  return { position, recovered, publications: recovered ? (reading.page?.publications.filter(wants) ?? []) : [] }
}

/**
 * The newest publication makes up for all before it, those of other epochs too. Where it is not kept any more, and something may have
 * been missed, the client is told so.
 */
const latestOf = (
  newestFirst: readonly Publication[],
  { position, since, wants }: Pick<Recovery, 'position'> & { since: Since; wants: (publication: Publication) => boolean },
): Recovery => {
  const newest = newestFirst.find(wants)
  if (since === undefined) return { position, publications: newest ? [newest] : [] }
  const readUpTo = since !== 'nowhere' && since.epoch === position.epoch && since.offset <= position.offset ? since.offset : -1
  if (newest) return { position, recovered: true, publications: newest.offset > readUpTo ? [newest] : [] }
  // Nothing that is kept is wanted: what is not kept may have been.
  const oldestKept = newestFirst.at(-1)?.offset ?? position.offset + 1
  return { position, recovered: oldestKept <= readUpTo + 1, publications: [] }
}

const isSamePosition = (one: Position, other: Position): boolean => one.epoch === other.epoch && one.offset === other.offset
