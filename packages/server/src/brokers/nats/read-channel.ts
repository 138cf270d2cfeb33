import type { HistoryPage, HistoryQuery } from '@fusewire/engine'
import type { Position, Publication } from '@fusewire/protocol'
import { firstOffset, hasKeys, type KeyedEntry, type Located, publicationsOf, type TrailEntry } from './channel-record.ts'
import { documentAfter } from './next-record.ts'
import type { RecordStream } from './record-stream.ts'

/** Records that are followed one by one, at most, to find out what has happened since a record. */
const MAX_STEPS = 256

/** A document, and the sequence of the newest record that has made it. */
export interface DocumentAt {
  readonly sequence: number
  readonly value: { readonly value: unknown } | undefined
}

/**
 * Records of the head's epoch that have offsets from `from` on, the newest first, as far back as they are kept. `enough` ends it once
 * they have so many publications.
 */
export const recordsBack = async (
  stream: RecordStream,
  head: Located,
  isNeeded: (entry: { readonly sequence: number; readonly last: number }) => boolean,
  enough = Number.POSITIVE_INFINITY,
): Promise<Located[]> => {
  const found = [head]
  let publications = head.record.publications.length
  for (let oldest: Located | undefined = head; oldest && publications < enough; ) {
    const entries: readonly TrailEntry[] = oldest.record.trail.filter(isNeeded)
    const records: (Located | undefined)[] = await Promise.all(entries.map((entry) => recordOf(stream, entry, head.record.epoch)))
    oldest = undefined
    for (const located of records) {
      if (!located) return found
      found.push(located)
      publications += located.record.publications.length
      oldest = located
    }
  }
  return found
}

/** The record of a trail. */
const recordOf = (stream: RecordStream, { sequence, first, last }: TrailEntry, epoch: string): Promise<Located | undefined> =>
  stream.record(sequence, (record) => record.epoch === epoch && record.offset === last && firstOffset(record) === first)

/** What a channel has published, as of its newest record. */
export const readHistory = async (
  stream: RecordStream,
  head: Located,
  { since, limit = Number.POSITIVE_INFINITY, reverse = false }: HistoryQuery,
  now: number,
): Promise<HistoryPage> => {
  const { epoch, offset, kept } = head.record
  const position = { epoch, offset }
  const isKnown = since === undefined || (since.epoch === epoch && since.offset <= offset)
  const from = Math.max(kept.from, since?.epoch === epoch ? since.offset + 1 : 0)
  const missed = since && isKnown ? offset - since.offset : 0
  if (from > offset || (limit === 0 && missed === 0)) return { position, publications: [], complete: isKnown && missed === 0 }
  const isNeeded = ({ last }: { readonly last: number }): boolean => last >= from
  // Whether nothing is missing can only be said by the oldest.
  const records = await recordsBack(stream, head, isNeeded, reverse && missed === 0 ? limit : undefined)
  const oldestTime = now - kept.ttlMs
  const publications: Publication[] = []
  for (const { record } of records.reverse())
    if (record.time >= oldestTime) for (const one of publicationsOf(record)) if (one.offset >= from) publications.push(one)
  const complete = isKnown && (missed === 0 || publications.length === missed)
  if (reverse) publications.reverse()
  return { position, publications: publications.slice(0, limit), complete }
}

/** Bytes of each publication that is kept as of a record, the oldest first; what is gone already takes none. */
export const readSizes = async (stream: RecordStream, head: Located): Promise<number[]> => {
  const { from } = head.record.kept
  const sizes = new Array<number>(Math.max(0, head.record.offset - from + 1)).fill(0)
  for (const { record } of await recordsBack(stream, head, ({ last }) => last >= from)) {
    const first = firstOffset(record)
    for (const [index, { bytes }] of record.publications.entries()) if (first + index >= from) sizes[first + index - from] = bytes
  }
  return sizes
}

/** The document as of a record that has one, from a value that is known of a record before, if there is. */
export const readDocument = async (stream: RecordStream, head: Located, known?: DocumentAt): Promise<DocumentAt['value']> => {
  const { document } = head.record
  if (!document) return undefined
  if (known?.sequence === head.sequence) return known.value
  const base = document.base === 0 ? head.sequence : document.base
  const start = known && known.sequence >= base && known.sequence < head.sequence ? known : undefined
  const after = start ? start.sequence + 1 : base
  const records = await recordsBack(stream, head, ({ sequence }) => sequence >= after)
  const oldest = records.at(-1)
  if (!start && oldest?.sequence !== base) return undefined
  let value = start?.value
  for (const { record } of records.reverse()) value = documentAfter(record, value)
  return value
}

/**
 * Every record of the channel since `since`, the oldest first, the newest being `head`; undefined when some of them are gone, or there are
 * too many.
 */
export const recordsSince = async (stream: RecordStream, head: Located, since: number): Promise<Located[] | undefined> => {
  const found = [head]
  for (let oldest = head; oldest.record.previous !== since; ) {
    const { previous, trail, epoch, time } = oldest.record
    const end = firstOffset(oldest.record) - 1
    if (previous < since || previous === 0 || found.length > MAX_STEPS) return undefined
    // Asked for together; what lies between them is found by the steps, which are in memory then.
    await Promise.all(trail.filter(({ sequence }) => sequence > since).map((entry) => recordOf(stream, entry, epoch)))
    const before = await stream.record(
      previous,
      (record) => record.time <= time && (record.epoch !== epoch || record.offset === end),
    )
    if (!before) return undefined
    found.push(before)
    oldest = before
  }
  return found.reverse()
}

export interface UsedKey {
  readonly position: Position
  /** Of the record that has it. */
  readonly sequence: number
  /** In milliseconds since 1970. */
  readonly time: number
}

/** The keys of one record. */
export const keysOf = ({ sequence, record }: Located): [key: string, used: UsedKey][] => {
  const { epoch, time, publications } = record
  const first = firstOffset(record)
  return publications.flatMap(({ key }, index) =>
    key === undefined ? [] : [[key, { position: { epoch, offset: first + index }, sequence, time }]],
  )
}

/** Every key that has been used since a time, the oldest first. */
export const readKeys = async (stream: RecordStream, head: Located, since: number): Promise<Map<string, UsedKey>> => {
  const found: Located[] = hasKeys(head.record) && head.record.time >= since ? [head] : []
  for (let oldest: Located | undefined = head; oldest; ) {
    const entries: readonly KeyedEntry[] = oldest.record.keyed.filter(({ time }) => time >= since)
    const records: (Located | undefined)[] = await Promise.all(
      entries.map(({ sequence, time }) => stream.record(sequence, (record) => record.time === time && hasKeys(record))),
    )
    oldest = undefined
    for (const located of records) {
      // Gone before its time: the stream was purged by somebody else.
      if (!located) continue
      found.push(located)
      oldest = located
    }
  }
  return new Map(found.reverse().flatMap(keysOf))
}
