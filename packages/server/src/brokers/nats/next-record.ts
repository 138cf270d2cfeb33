import { ConflictError, type PublicationDraft, type PublishOptions } from '@fusewire/engine'
import { FusewireError, jsonSize, mergePatch, type Position } from '@fusewire/protocol'
import {
  type ChannelRecord,
  firstOffset,
  hasKeys,
  type KeptHistory,
  type KeyedEntry,
  type Located,
  type RecordedDocument,
  type RecordedPublication,
  TRAIL_LENGTH,
  type TrailEntry,
} from './channel-record.ts'

/** Patches since a document was written whole: this many, once they take a quarter of it; never more than the other. */
const BASE_AFTER_RECORDS = 16
const BASE_AFTER_MOST_RECORDS = 512

export interface Request {
  readonly draft: PublicationDraft
  readonly draftBytes: number
  readonly options: PublishOptions
}

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'published'; readonly position: Position }
  | { readonly kind: 'duplicate'; readonly position: Position }
  | { readonly kind: 'refused'; readonly error: FusewireError }

export interface Surroundings {
  /** The channel's newest record; undefined when it has none. */
  readonly head: Located | undefined
  readonly now: number
  /** For the record. */
  readonly id: string
  /** Where the channel begins when it has no record. */
  readonly newEpoch: string
  readonly idempotencyTtlMs: number
  /** The position that a key has been used for within the window. */
  readonly usedAt: (key: string) => Position | undefined
  /** The document at the head; undefined when there is none. */
  readonly document: { readonly value: unknown } | undefined
  /** Bytes of each publication that is kept at the head, the oldest first; undefined when nobody has counted. */
  readonly sizes: readonly number[] | undefined
  /** How long the stream keeps a record, in milliseconds. */
  readonly maxAgeMs: number
  /** False when the document is too large to be written whole along with what is published. */
  readonly mayBeBase: boolean
}

export interface Step {
  /** Undefined when nothing is to be written. */
  readonly record: ChannelRecord | undefined
  readonly outcomes: readonly Outcome[]
  /** The document after it. */
  readonly document: { readonly value: unknown } | undefined
}

/** The sizes must be counted first: what is kept may take too much. */
export const COUNT_FIRST = Symbol('count first')

interface Document {
  readonly value: unknown
  readonly maxBytes: number
  readonly time: number
  readonly expiresAt: number
}

/**
 * The record that carries out requests, one after the other, on top of the newest record. A repeated key gets the first answer, then
 * `ifPosition` is looked at, then the document's size.
 */
export const nextRecord = (requests: readonly Request[], around: Surroundings): Step | typeof COUNT_FIRST => {
  const { head, now, newEpoch } = around
  const epoch = head?.record.epoch ?? newEpoch
  const start = head?.record.offset ?? 0
  let offset = start
  let document = documentAt(around)
  let sizes = around.sizes && [...around.sizes]
  let kept = keptAt(head, sizes)
  const keys = new Map<string, Position>()
  const publications: RecordedPublication[] = []
  const outcomes: Outcome[] = []

  for (const { draft, draftBytes, options } of requests) {
    const { idempotencyKey: key, ifPosition, state } = options
    const earlier = key === undefined ? undefined : (keys.get(key) ?? around.usedAt(key))
    if (earlier) {
      outcomes.push({ kind: 'duplicate', position: earlier })
      continue
    }
    if (ifPosition && !(ifPosition.epoch === epoch && ifPosition.offset === offset)) {
      const told = document && { document: document.value, time: document.time }
      outcomes.push({ kind: 'refused', error: new ConflictError({ position: { epoch, offset }, ...told }) })
      continue
    }
    let changed: Document | undefined
    try {
      changed = state && nextDocument(document, { draft, draftBytes, now }, state)
    } catch (error) {
      if (!(error instanceof FusewireError)) throw error
      outcomes.push({ kind: 'refused', error })
      continue
    }
    offset++
    document = changed
    const history = nextHistory(kept, sizes, { offset, draftBytes, options })
    if (history === COUNT_FIRST) return COUNT_FIRST
    kept = history.kept
    sizes = history.sizes
    const position = { epoch, offset }
    if (key !== undefined) keys.set(key, position)
    publications.push({ draft, bytes: draftBytes, ...(key !== undefined && { key }), ...(state && { state: true }) })
    outcomes.push({ kind: 'published', position })
  }

  const after = document && { value: document.value }
  if (publications.length === 0) return { record: undefined, outcomes, document: after }
  const recorded = document && recordDocument(document, publications, around)
  const record: ChannelRecord = {
    ...follow(around, epoch, offset),
    trail: trailAfter(head, kept.from, recorded?.document.base ?? 0),
    kept,
    publications,
    ...recorded,
  }
  return { record, outcomes, document: after }
}

/** A record without publications: the channel goes on where it is, or begins another epoch when one is given. */
export const markRecord = (
  around: Pick<Surroundings, 'head' | 'now' | 'id' | 'idempotencyTtlMs'>,
  mark: { readonly epoch: string } | { readonly clear: boolean },
): ChannelRecord => {
  const { head } = around
  const nothing: KeptHistory = { from: 1, ttlMs: 0, bytes: 0 }
  if ('epoch' in mark || !head) {
    const epoch = 'epoch' in mark ? mark.epoch : around.id
    return { ...follow(around, epoch, 0), trail: [], kept: nothing, publications: [] }
  }
  const { epoch, offset, kept, document } = head.record
  const base = document && (document.base === 0 ? { ...document, base: head.sequence } : document)
  const from = mark.clear ? offset + 1 : kept.from
  return {
    ...follow(around, epoch, offset),
    trail: trailAfter(head, from, base?.base ?? 0),
    kept: mark.clear ? { ...kept, from, bytes: 0 } : kept,
    publications: [],
    ...(base && { document: base }),
  }
}

/** The document after a record, whose value before it is known unless it is a base. */
export const documentAfter = (
  record: ChannelRecord,
  before: { readonly value: unknown } | undefined,
): { readonly value: unknown } | undefined => {
  let document = record.before ?? (record.document?.base === 0 ? undefined : before)
  for (const { draft, state } of record.publications)
    document = state ? { value: draft.patch ? mergePatch(document?.value, draft.data) : draft.data } : undefined
  return document
}

const documentAt = ({ head, document }: Surroundings): Document | undefined => {
  const recorded = head?.record.document
  return recorded && document && { ...recorded, value: document.value }
}

/** Throws `document_too_large`, and what `jsonSize` throws. A patch adds no more than its own size, so that a document is measured only when it must be. */
const nextDocument = (
  before: Document | undefined,
  { draft, draftBytes, now }: { readonly draft: PublicationDraft; readonly draftBytes: number; readonly now: number },
  { ttlMs, maxDocumentBytes }: NonNullable<PublishOptions['state']>,
): Document => {
  const value = draft.patch ? mergePatch(before?.value, draft.data) : draft.data
  const bound = draft.patch ? (before?.maxBytes ?? 0) + draftBytes : draftBytes
  const maxBytes = bound <= maxDocumentBytes ? bound : jsonSize(value)
  if (maxBytes > maxDocumentBytes) throw new FusewireError('document_too_large')
  return { value, maxBytes, time: now, expiresAt: now + ttlMs }
}

interface Addition {
  readonly offset: number
  readonly draftBytes: number
  readonly options: PublishOptions
}

/** What is kept at the head. What has gone uncounted, or is gone from the stream, is among its bytes until they are counted. */
const keptAt = (head: Located | undefined, sizes: readonly number[] | undefined): KeptHistory => {
  const kept = head?.record.kept ?? { from: 1, ttlMs: 0, bytes: 0 }
  return sizes ? { ...kept, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) } : kept
}

/** What is kept after one more publication. Without sizes the bytes may be more than they are, as long as that does not matter. */
const nextHistory = (
  kept: KeptHistory,
  before: number[] | undefined,
  { offset, draftBytes, options: { historySize, historyTtlMs, historyBytes } }: Addition,
): { readonly kept: KeptHistory; readonly sizes: number[] | undefined } | typeof COUNT_FIRST => {
  if (historySize <= 0) return { kept: { ...kept, from: offset + 1, bytes: 0 }, sizes: [] }
  const isEmpty = kept.from >= offset
  const sizes = isEmpty ? [] : before
  let { from } = kept
  let bytes = (isEmpty ? 0 : kept.bytes) + draftBytes
  sizes?.push(draftBytes)
  const drop = (): void => {
    bytes -= sizes?.shift() ?? 0
    from++
  }
  while (offset - from + 1 > historySize) drop()
  if (bytes > historyBytes && !sizes) return COUNT_FIRST
  while (bytes > historyBytes && from <= offset) drop()
  return { kept: { from, ttlMs: historyTtlMs, bytes }, sizes }
}

const recordDocument = (
  { maxBytes, time, expiresAt }: Document,
  publications: readonly RecordedPublication[],
  { head, now, document: value, maxAgeMs, mayBeBase }: Surroundings,
): { readonly document: RecordedDocument; readonly before?: { readonly value: unknown } } => {
  const asBase = { base: 0, baseTime: now, records: 0, recordBytes: 0, maxBytes, time, expiresAt }
  const last = head?.record.document
  if (!head || !last || !value || publications.some(({ draft, state }) => !(state && draft.patch))) return { document: asBase }
  const records = last.records + 1
  const recordBytes = last.recordBytes + publications.reduce((sum, { bytes }) => sum + bytes, 0)
  const isLong = records >= BASE_AFTER_RECORDS && recordBytes * 4 >= last.maxBytes
  if (mayBeBase && (isLong || records >= BASE_AFTER_MOST_RECORDS || now - last.baseTime >= maxAgeMs / 2))
    return { document: asBase, before: value }
  const base = last.base === 0 ? head.sequence : last.base
  return { document: { base, baseTime: last.baseTime, records, recordBytes, maxBytes, time, expiresAt } }
}

/** What a record has that follows the head, whatever it does. */
const follow = (
  { head, now, id, idempotencyTtlMs }: Pick<Surroundings, 'head' | 'now' | 'id' | 'idempotencyTtlMs'>,
  epoch: string,
  offset: number,
): Pick<ChannelRecord, 'id' | 'epoch' | 'offset' | 'time' | 'previous' | 'keyed'> => ({
  id,
  epoch,
  offset,
  time: now,
  previous: head?.sequence ?? 0,
  keyed: keyedAfter(head, now - idempotencyTtlMs),
})

const trailAfter = (head: Located | undefined, from: number, base: number): readonly TrailEntry[] => {
  if (!head) return []
  const { sequence, record } = head
  const own = record.publications.length > 0 ? [{ sequence, first: firstOffset(record), last: record.offset }] : []
  const entries = [...own, ...record.trail].slice(0, TRAIL_LENGTH)
  const isNeeded = (entry: TrailEntry): boolean => entry.last >= from || (base > 0 && entry.sequence >= base)
  return entries.filter(isNeeded)
}

const keyedAfter = (head: Located | undefined, since: number): readonly KeyedEntry[] => {
  if (!head) return []
  const { sequence, record } = head
  const own = hasKeys(record) ? [{ sequence, time: record.time }] : []
  return [...own, ...record.keyed].filter(({ time }) => time >= since).slice(0, TRAIL_LENGTH)
}
