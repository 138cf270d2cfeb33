import { ConflictError, type PublicationDraft, type PublishOptions } from '@fusewire/engine'
import { describe, expect, it } from 'vitest'
import { type ChannelRecord, firstOffset, type Located, TRAIL_LENGTH } from './channel-record.ts'
import { COUNT_FIRST, documentAfter, markRecord, nextRecord, type Request, type Step, type Surroundings } from './next-record.ts'

const OPTIONS: PublishOptions = { historySize: 3, historyTtlMs: 60_000, historyBytes: 100 }
const STATE = { ttlMs: 5_000, maxDocumentBytes: 100 }

const request = (draft: Partial<PublicationDraft>, options: Partial<PublishOptions> = {}, draftBytes = 10): Request => ({
  draft: { data: 0, ...draft },
  draftBytes,
  options: { ...OPTIONS, ...options },
})

const surroundings = (changes: Partial<Surroundings> = {}): Surroundings => ({
  head: undefined,
  now: 1_000,
  id: 'r1',
  newEpoch: 'e',
  idempotencyTtlMs: 300,
  usedAt: () => undefined,
  document: undefined,
  sizes: [],
  maxAgeMs: 100_000,
  mayBeBase: true,
  ...changes,
})

const step = (requests: readonly Request[], around: Surroundings): Step => {
  const next = nextRecord(requests, around)
  if (next === COUNT_FIRST) throw new Error('sizes are to be counted first')
  return next
}

const recordOf = ({ record }: Step): ChannelRecord => {
  if (!record) throw new Error('there is nothing to write')
  return record
}

const at = (offset: number, epoch = 'e') => ({ epoch, offset })

/** A channel of which records are written one by one, each with the next ten as its sequence. */
class Written {
  head: Located | undefined
  document: Step['document']
  sizes: readonly number[] | undefined = []

  publish(requests: readonly Request[], changes: Partial<Surroundings> = {}): ChannelRecord {
    const { head, document, sizes } = this
    const written = step(requests, surroundings({ head, document, sizes, ...changes }))
    const record = recordOf(written)
    expect(documentAfter(record, this.document)).toEqual(written.document)
    this.document = written.document
    return this.#take(record)
  }

  mark(mark: Parameters<typeof markRecord>[1], now = 1_000): ChannelRecord {
    return this.#take(markRecord(surroundings({ head: this.head, now, id: 'mark' }), mark))
  }

  #take(record: ChannelRecord): ChannelRecord {
    const kept = Array.from({ length: Math.max(0, record.offset - record.kept.from + 1) }, () => 10)
    this.sizes = kept
    this.head = { sequence: (this.head?.sequence ?? 0) + 10, record }
    return record
  }
}

describe('the next record of a channel of NATS', () => {
  it('begins the channel, with an offset for each publication, and goes on from the newest record', () => {
    const channel = new Written()
    const first = channel.publish([request({ data: 'a' }), request({ data: 'b' })])
    expect(first).toMatchObject({ id: 'r1', epoch: 'e', offset: 2, time: 1_000, previous: 0, trail: [], keyed: [] })
    expect(first.publications.map(({ draft }) => draft.data)).toEqual(['a', 'b'])
    expect(first).not.toHaveProperty('document')
    const next = step([request({ data: 'c' })], surroundings({ head: channel.head, newEpoch: 'other' }))
    expect(next.outcomes).toEqual([{ kind: 'published', position: at(3) }])
    expect(next.record).toMatchObject({ epoch: 'e', offset: 3, previous: 10 })
  })

  it('answers a repeated key with its first position, within a step and after it, and is none where there is nothing else', () => {
    const key = { idempotencyKey: 'k' }
    const usedAt = (used: string) => (used === 'old' ? at(7, 'before') : undefined)
    const { outcomes, record } = step(
      [request({}, key), request({}, key), request({}, { idempotencyKey: 'old' }), request({})],
      surroundings({ usedAt }),
    )
    expect(outcomes).toEqual([
      { kind: 'published', position: at(1) },
      { kind: 'duplicate', position: at(1) },
      { kind: 'duplicate', position: at(7, 'before') },
      { kind: 'published', position: at(2) },
    ])
    expect(record?.publications.map((publication) => publication.key)).toEqual(['k', undefined])
    const repeated = step([request({}, { idempotencyKey: 'old', ifPosition: at(99) })], surroundings({ usedAt }))
    expect(repeated).toEqual({
      record: undefined,
      outcomes: [{ kind: 'duplicate', position: at(7, 'before') }],
      document: undefined,
    })
  })

  it('refuses what is not for the position that those before it have led to, and says which that is', () => {
    const { outcomes } = step(
      [
        request({}, { ifPosition: at(0) }),
        request({}, { ifPosition: at(0) }),
        request({}, { ifPosition: at(1, 'other') }),
        request({}, { ifPosition: at(1) }),
      ],
      surroundings(),
    )
    expect(outcomes.map(({ kind }) => kind)).toEqual(['published', 'refused', 'refused', 'published'])
    const channel = new Written()
    channel.publish([request({ data: 'a' }, { state: STATE })])
    const { head, document } = channel
    const [refused] = step([request({}, { ifPosition: at(0) })], surroundings({ head, document })).outcomes
    const error = refused?.kind === 'refused' ? refused.error : undefined
    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toMatchObject({ state: { position: at(1), document: 'a', time: 1_000 } })
  })
})

describe('the history that a record keeps', () => {
  const kept = (requests: readonly Request[], changes: Partial<Surroundings> = {}) =>
    recordOf(step(requests, surroundings(changes))).kept

  it('is as many publications as its rule says, or as take so many bytes', () => {
    const bytes = (...sizes: readonly number[]) => sizes.map((size) => request({}, {}, size))
    expect(kept(bytes(10, 10, 10))).toEqual({ from: 1, ttlMs: 60_000, bytes: 30 })
    expect(kept(bytes(10, 20, 30, 40))).toEqual({ from: 2, ttlMs: 60_000, bytes: 90 })
    expect(kept(bytes(10, 45, 55))).toEqual({ from: 2, ttlMs: 60_000, bytes: 100 })
    expect(kept(bytes(10, 45, 56))).toEqual({ from: 3, ttlMs: 60_000, bytes: 56 })
    expect(kept(bytes(10, 101))).toEqual({ from: 3, ttlMs: 60_000, bytes: 0 })
  })

  it('is nothing where the rule keeps none, and begins anew after that', () => {
    const none = request({}, { historySize: 0 })
    expect(kept([request({}), none])).toMatchObject({ from: 3, bytes: 0 })
    const channel = new Written()
    channel.publish([request({}), request({})])
    expect(kept([none], { head: channel.head, sizes: undefined })).toMatchObject({ from: 4, bytes: 0 })
    expect(kept([request({}), none, request({}, {}, 20)])).toEqual({ from: 3, ttlMs: 60_000, bytes: 20 })
  })

  it('is counted first where only that tells what is to go', () => {
    const channel = new Written()
    channel.publish([request({}), request({})])
    const { head } = channel
    const around = surroundings({ head, sizes: undefined })
    expect(recordOf(step([request({}, {}, 80)], around)).kept).toMatchObject({ from: 1, bytes: 100 })
    expect(nextRecord([request({}, {}, 81)], around)).toBe(COUNT_FIRST)
  })

  it('is not shortened by the bytes of what has gone uncounted, or is gone from the stream', () => {
    const channel = new Written()
    for (let n = 0; n < 9; n++) channel.publish([request({})], { sizes: undefined })
    const { head } = channel
    expect(head?.record.kept).toEqual({ from: 7, ttlMs: 60_000, bytes: 90 })
    const large = request({}, {}, 40)
    expect(nextRecord([large], surroundings({ head, sizes: undefined }))).toBe(COUNT_FIRST)
    expect(kept([large], { head, sizes: [10, 10, 10] })).toEqual({ from: 8, ttlMs: 60_000, bytes: 60 })
    expect(kept([large], { head, sizes: [0, 0, 10] })).toEqual({ from: 8, ttlMs: 60_000, bytes: 50 })
  })

  it('has the records in its trail that it needs, and no more than a trail holds', () => {
    const channel = new Written()
    for (let n = 0; n < 3; n++) channel.publish([request({}), request({})])
    expect(channel.publish([request({})]).trail).toEqual([{ sequence: 30, first: 5, last: 6 }])
    const long = new Written()
    for (let n = 0; n < 20; n++) long.publish([request({}, { historySize: 1_000, historyBytes: 1_000 })])
    expect(long.head?.record.trail).toHaveLength(TRAIL_LENGTH)
    expect(long.head?.record.trail[0]).toEqual({ sequence: 190, first: 19, last: 19 })
  })

  it('names the records with keys that are within the window', () => {
    const channel = new Written()
    channel.publish([request({}, { idempotencyKey: 'a' })], { now: 1_000 })
    channel.publish([request({})], { now: 1_100 })
    expect(channel.publish([request({}, { idempotencyKey: 'b' })], { now: 1_300 }).keyed).toEqual([{ sequence: 10, time: 1_000 }])
    expect(channel.publish([request({})], { now: 1_301 }).keyed).toEqual([{ sequence: 30, time: 1_300 }])
    expect(channel.publish([request({})], { now: 1_601 }).keyed).toEqual([])
  })
})

describe('the document that a record makes', () => {
  const replace = (data: unknown, bytes = 10) => request({ data }, { state: STATE }, bytes)
  const patch = (data: unknown, bytes = 10) => request({ data, patch: true }, { state: STATE }, bytes)

  it('is replaced and patched in the order of publications, and gone after one without', () => {
    const channel = new Written()
    channel.publish([replace({ a: 1 }), patch({ b: 2 })])
    expect(channel.document).toEqual({ value: { a: 1, b: 2 } })
    channel.publish([patch({ a: null })])
    expect(channel.document).toEqual({ value: { b: 2 } })
    channel.publish([patch({ c: 3 }), replace('x')])
    expect(channel.document).toEqual({ value: 'x' })
    expect(channel.publish([request({})])).not.toHaveProperty('document')
    expect(channel.document).toBeUndefined()
    channel.publish([patch({ d: 4 })])
    expect(channel.document).toEqual({ value: { d: 4 } })
  })

  it('begins anew when the time of the one before is over', () => {
    const channel = new Written()
    channel.publish([replace({ a: 1 })])
    const { head } = channel
    const { record, document } = step([patch({ b: 2 })], surroundings({ head, document: undefined }))
    expect(document).toEqual({ value: { b: 2 } })
    expect(record).toMatchObject({ document: { base: 0, maxBytes: 10 } })
    expect(record).not.toHaveProperty('before')
    expect(record && documentAfter(record, { value: { a: 1 } })).toEqual(document)
  })

  it('is refused where it would be too large, is measured only then, and the one before stays', () => {
    const channel = new Written()
    channel.publish([replace('x', 60)])
    const { head, document } = channel
    const around = surroundings({ head, document })
    const long = 'y'.repeat(99)
    const { outcomes, record, document: after } = step([replace(long, 101), patch({ a: 1 }, 41), replace('z', 100)], around)
    expect(outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome.error.code : outcome.position.offset))).toEqual([
      'document_too_large',
      2,
      3,
    ])
    expect(record?.document?.maxBytes).toBe(100)
    expect(after).toEqual({ value: 'z' })
    expect(step([patch({ a: 1 }, 40)], around).record?.document?.maxBytes).toBe(100)
    expect(step([patch({ a: 1 }, 41)], around).record?.document?.maxBytes).toBe('{"a":1}'.length)
    expect(step([replace(long, 101)], around)).toMatchObject({ record: undefined, document: { value: 'x' } })
  })

  it('begins with a record that replaces it, and is followed by patches from there', () => {
    const channel = new Written()
    expect(channel.publish([replace({ a: 1 }, 20)]).document).toEqual({
      base: 0,
      baseTime: 1_000,
      records: 0,
      recordBytes: 0,
      maxBytes: 20,
      time: 1_000,
      expiresAt: 6_000,
    })
    for (const records of [1, 2])
      expect(channel.publish([patch({ b: 1 })], { now: 2_000 }).document).toEqual({
        base: 10,
        baseTime: 1_000,
        records,
        recordBytes: 10 * records,
        maxBytes: 20 + 10 * records,
        time: 2_000,
        expiresAt: 7_000,
      })
    const again = channel.publish([patch({ b: 2 }), replace({})])
    expect(again.document).toMatchObject({ base: 0, records: 0 })
    expect(again).not.toHaveProperty('before')
  })

  it('keeps the records in the trail that make it, though their publications are not kept', () => {
    const channel = new Written()
    const options = { state: STATE, historySize: 0 }
    for (const a of [1, 2]) channel.publish([request({ data: { a } }, options)])
    channel.publish([request({ data: { b: 1 }, patch: true }, options)])
    expect(channel.publish([request({ data: { c: 1 }, patch: true }, options)]).trail).toEqual([
      { sequence: 30, first: 3, last: 3 },
      { sequence: 20, first: 2, last: 2 },
    ])
  })

  it('is written whole again, before its patches, once those are many and take a quarter of it', () => {
    const patchedUntilBase = (documentBytes: number, changes: Partial<Surroundings> = {}): number | undefined => {
      const channel = new Written()
      const options = { state: { ...STATE, maxDocumentBytes: 1_000_000 } }
      channel.publish([request({ data: { a: 1 } }, options, documentBytes)])
      for (let n = 1; n <= 600; n++) {
        const before = channel.document
        const record = channel.publish([request({ data: { a: n }, patch: true }, options, 1)], changes)
        if (record.document?.base !== 0) continue
        expect(record.before).toEqual(before)
        return n
      }
      return undefined
    }
    expect(patchedUntilBase(40)).toBe(16)
    expect(patchedUntilBase(100)).toBe(33)
    expect(patchedUntilBase(100_000)).toBe(512)
    expect(patchedUntilBase(40, { mayBeBase: false })).toBeUndefined()
    expect(patchedUntilBase(100_000, { now: 50_999 })).toBe(512)
    expect(patchedUntilBase(100_000, { now: 51_000 })).toBe(1)
  })
})

describe('a mark', () => {
  it('goes on where the channel is, without publications', () => {
    const channel = new Written()
    channel.publish([request({}), request({ data: 'x' }, { state: STATE, idempotencyKey: 'k' })])
    const mark = channel.mark({ clear: false })
    expect(mark).toMatchObject({ id: 'mark', epoch: 'e', offset: 2, previous: 10, publications: [] })
    expect(mark.kept).toEqual({ from: 1, ttlMs: 60_000, bytes: 20 })
    expect(mark.trail).toEqual([{ sequence: 10, first: 1, last: 2 }])
    expect(mark.keyed).toEqual([{ sequence: 10, time: 1_000 }])
    expect(mark.document).toMatchObject({ base: 10, records: 0 })
    expect(channel.mark({ clear: false })).toMatchObject({ previous: 20, trail: mark.trail, document: { base: 10 } })
    expect(channel.publish([request({})]).trail).toEqual(mark.trail)
  })

  it('clears the history, and leaves the document', () => {
    const channel = new Written()
    channel.publish([request({})])
    expect(channel.mark({ clear: true })).toMatchObject({ offset: 1, kept: { from: 2, ttlMs: 60_000, bytes: 0 }, trail: [] })
    channel.publish([request({ data: 'x' }, { state: STATE })])
    const mark = channel.mark({ clear: true })
    expect(mark).toMatchObject({ kept: { from: 3 }, trail: [{ sequence: 30, first: 2, last: 2 }], document: { base: 30 } })
    expect(documentAfter(mark, { value: 'x' })).toEqual({ value: 'x' })
  })

  it('begins an epoch, in which nothing is of what was before but its keys, and a channel that had no record', () => {
    const channel = new Written()
    channel.publish([request({}, { idempotencyKey: 'k' })])
    const mark = channel.mark({ epoch: 'f' })
    expect(mark).toMatchObject({ epoch: 'f', offset: 0, previous: 10, trail: [], kept: { from: 1, bytes: 0 } })
    expect(mark.keyed).toEqual([{ sequence: 10, time: 1_000 }])
    expect(firstOffset(channel.publish([request({})]))).toBe(1)
    expect(new Written().mark({ clear: false })).toMatchObject({ epoch: 'mark', offset: 0, previous: 0, keyed: [] })
  })
})
