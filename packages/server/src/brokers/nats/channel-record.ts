import type { PublicationDraft } from '@fusewire/engine'
import type { Member, Publication } from '@fusewire/protocol'
import { fromJsonValue, toJsonValue } from '../snapshot-values.ts'

/** One publication as its record has it. */
export interface RecordedPublication {
  readonly draft: PublicationDraft
  /** What the draft takes, in bytes of JSON. */
  readonly bytes: number
  readonly key?: string
  /** It has made the channel's document; without it the channel has none from here on. */
  readonly state?: true
}

/** What is kept of the history, as of a record. */
export interface KeptHistory {
  /** The oldest offset that is kept; beyond the newest when nothing is. */
  readonly from: number
  /** How long, in milliseconds. */
  readonly ttlMs: number
  /** What it takes, in bytes of JSON; never less. */
  readonly bytes: number
}

/** Where a channel's document is, as of a record. */
export interface RecordedDocument {
  /** Sequence of the record from which on its publications make the document; 0 is this record itself. */
  readonly base: number
  /** When that was written, in milliseconds since 1970. */
  readonly baseTime: number
  /** Records since the base, and what they take in bytes. */
  readonly records: number
  readonly recordBytes: number
  /** Its size in bytes of JSON is not more than this. */
  readonly maxBytes: number
  /** When it was changed last, and when its time is over, in milliseconds since 1970. */
  readonly time: number
  readonly expiresAt: number
}

/** A record and its sequence in the stream. */
export interface Located {
  readonly sequence: number
  readonly record: ChannelRecord
}

/** One of the records before: its sequence, and the offsets that it has. */
export interface TrailEntry {
  readonly sequence: number
  readonly first: number
  readonly last: number
}

/** One of the records with idempotency keys before. */
export interface KeyedEntry {
  readonly sequence: number
  readonly time: number
}

/**
 * One message of the stream: what one node has done to a channel in one step. The newest record of a channel says all that a node must
 * know of the channel to write the next one, and where to find the rest.
 */
export interface ChannelRecord {
  /** Of this record alone: whoever does not know whether it was written finds it by this. */
  readonly id: string
  readonly epoch: string
  /** The newest offset after it. */
  readonly offset: number
  /** When it was written, in milliseconds since 1970, by the clock of the node that has; never before the record before. */
  readonly time: number
  /** Sequence of the record before it in this channel; 0 for the first. */
  readonly previous: number
  /** Some of the records before in this epoch that still matter, the newest first. */
  readonly trail: readonly TrailEntry[]
  /** Some of the records before that have keys within the idempotency window, the newest first. */
  readonly keyed: readonly KeyedEntry[]
  readonly kept: KeptHistory
  readonly publications: readonly RecordedPublication[]
  readonly document?: RecordedDocument
  /** The document before its publications, where it is a base that begins with a patch. */
  readonly before?: { readonly value: unknown }
}

/** Records of a trail, and of keys, at most. */
export const TRAIL_LENGTH = 16

export const firstOffset = ({ offset, publications }: ChannelRecord): number => offset - publications.length + 1

export const hasKeys = ({ publications }: ChannelRecord): boolean => publications.some(({ key }) => key !== undefined)

/** What subscribers and histories are given. */
export const publicationsOf = (record: ChannelRecord): Publication[] => {
  const first = firstOffset(record)
  return record.publications.map(({ draft }, index) => ({ offset: first + index, ...draft, time: record.time }))
}

interface WrittenPublication {
  readonly data: unknown
  readonly tags?: Record<string, string>
  readonly sender?: unknown
  readonly patch?: true
  readonly bytes: number
  readonly key?: string
  readonly state?: true
}

interface WrittenRecord {
  readonly id: string
  readonly epoch: string
  readonly offset: number
  readonly time: number
  readonly previous: number
  /** How much less each sequence is than the one before it (`previous`), and how many publications it has. */
  readonly trail?: readonly number[]
  /** The same, and how much older than the one before it (`time`). */
  readonly keyed?: readonly number[]
  readonly kept: readonly [from: number, ttlMs: number, bytes: number]
  readonly publications?: readonly WrittenPublication[]
  readonly document?: RecordedDocument
  readonly before?: { readonly value: unknown }
}

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/** JSON, with what JSON has no word for as `snapshot-values.ts` writes it. */
export const encodeRecord = (record: ChannelRecord): Uint8Array => {
  const { id, epoch, offset, time, previous, kept, publications, document, before } = record
  const written: WrittenRecord = {
    id,
    epoch,
    offset,
    time,
    previous,
    ...(record.trail.length > 0 && { trail: writtenTrail(record) }),
    ...(record.keyed.length > 0 && { keyed: writtenKeyed(record) }),
    kept: [kept.from, kept.ttlMs, kept.bytes],
    ...(publications.length > 0 && { publications: publications.map(writtenPublication) }),
    ...(document && { document }),
    ...(before && { before: { value: writtenValue(before.value) } }),
  }
  return ENCODER.encode(JSON.stringify(written))
}

/** Undefined for what is no record. */
export const decodeRecord = (bytes: Uint8Array): ChannelRecord | undefined => {
  const text = DECODER.decode(bytes)
  let written: WrittenRecord
  try {
    written = JSON.parse(text) as WrittenRecord
  } catch {
    return undefined
  }
  if (typeof written !== 'object' || written === null || !Array.isArray(written.kept)) return undefined
  const { id, epoch, offset, time, previous, trail = [], keyed = [], kept, publications = [], document, before } = written
  // Nothing stands for something else when no name begins with a dollar.
  const read = text.includes('"$') ? fromJsonValue : asItIs
  return {
    id,
    epoch,
    offset,
    time,
    previous,
    trail: readTrail(trail, previous, offset - publications.length),
    keyed: readKeyed(keyed, previous, time),
    kept: { from: kept[0], ttlMs: kept[1], bytes: kept[2] },
    publications: publications.map((publication) => readPublication(publication, read)),
    ...(document && { document }),
    ...(before && { before: { value: read(before.value) } }),
  }
}

const asItIs = (value: unknown): unknown => value

/** Most values are their own JSON, and need not be copied. */
const writtenValue = (value: unknown): unknown => (isItsOwnJson(value) ? value : toJsonValue(value))

const isItsOwnJson = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isItsOwnJson)
  if (ArrayBuffer.isView(value) || 'toJSON' in value) return false
  for (const [name, item] of Object.entries(value)) if (name.startsWith('$') || !isItsOwnJson(item)) return false
  return true
}

const writtenTrail = ({ trail, previous }: ChannelRecord): number[] => {
  let above = previous
  return trail.flatMap(({ sequence, first, last }) => {
    const less = above - sequence
    above = sequence
    return [less, last - first + 1]
  })
}

const readTrail = (numbers: readonly number[], previous: number, newest: number): TrailEntry[] => {
  const entries: TrailEntry[] = []
  let sequence = previous
  let last = newest
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    sequence -= numbers[at] ?? 0
    const first = last - (numbers[at + 1] ?? 0) + 1
    entries.push({ sequence, first, last })
    last = first - 1
  }
  return entries
}

const writtenKeyed = ({ keyed, previous, time }: ChannelRecord): number[] => {
  let above = { sequence: previous, time }
  return keyed.flatMap((entry) => {
    const less = [above.sequence - entry.sequence, above.time - entry.time]
    above = entry
    return less
  })
}

const readKeyed = (numbers: readonly number[], previous: number, newest: number): KeyedEntry[] => {
  const entries: KeyedEntry[] = []
  let sequence = previous
  let time = newest
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    sequence -= numbers[at] ?? 0
    time -= numbers[at + 1] ?? 0
    entries.push({ sequence, time })
  }
  return entries
}

const writtenPublication = ({ draft, bytes, key, state }: RecordedPublication): WrittenPublication => ({
  data: writtenValue(draft.data),
  ...(draft.tags && { tags: draft.tags }),
  ...(draft.sender && { sender: writtenValue(draft.sender) }),
  ...(draft.patch && { patch: draft.patch }),
  bytes,
  ...(key !== undefined && { key }),
  ...(state && { state }),
})

const readPublication = (
  { data, tags, sender, patch, bytes, key, state }: WrittenPublication,
  read: (value: unknown) => unknown,
): RecordedPublication => ({
  draft: {
    data: read(data),
    ...(tags && { tags }),
    ...(sender !== undefined && { sender: read(sender) as Member }),
    ...(patch && { patch }),
  },
  bytes,
  ...(key !== undefined && { key }),
  ...(state && { state }),
})
