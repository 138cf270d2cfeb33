import { describe, expect, it } from 'vitest'
import { type ChannelRecord, encodeRecord } from './channel-record.ts'
import { RecordCache } from './record-cache.ts'

const recordWith = (offset: number, data: unknown): ChannelRecord => ({
  id: `r.${offset}`,
  epoch: 'e',
  offset,
  time: 1_000,
  previous: 0,
  trail: [],
  keyed: [],
  kept: { from: 1, ttlMs: 1_000, bytes: 0 },
  publications: [{ draft: { data }, bytes: 1 }],
})

describe('RecordCache', () => {
  it('gives each record as it was written, however often it is read', () => {
    const cache = new RecordCache(64_000)
    const records = ['one', { two: 2 }, 'drei €'].map((data, index) => recordWith(index + 1, data))
    for (const record of records) cache.remember(record.offset, encodeRecord(record))
    for (let times = 0; times < 2; times++) expect([1, 2, 3].map((sequence) => cache.get(sequence))).toEqual(records)
    expect(cache.get(4)).toBeUndefined()
    // It is decoded once.
    expect(cache.get(1)).toBe(cache.get(1))
  })

  it('keeps what it was given, though those bytes become others', () => {
    const cache = new RecordCache(64_000)
    const record = recordWith(1, 'one')
    const bytes = encodeRecord(record)
    cache.remember(1, bytes)
    bytes.fill(0)
    expect(cache.get(1)).toEqual(record)
  })

  it('gives the newest of those that have had the same sequence', () => {
    const cache = new RecordCache(16_000)
    const other = recordWith(2, 'other')
    cache.remember(7, encodeRecord(recordWith(1, 'one')))
    cache.remember(7, encodeRecord(other))
    expect(cache.get(7)).toEqual(other)
    // In another block.
    cache.remember(8, encodeRecord(recordWith(3, 'x'.repeat(900))))
    const latest = recordWith(4, 'latest')
    cache.remember(7, encodeRecord(latest), latest)
    expect(cache.get(7)).toBe(latest)
  })

  it('forgets what came first when there is too much, and never more than it must', () => {
    const cache = new RecordCache(16_000)
    for (let sequence = 1; sequence <= 100; sequence++)
      cache.remember(sequence, encodeRecord(recordWith(sequence, 'x'.repeat(300))))
    const known = Array.from({ length: 100 }, (_, index) => index + 1).filter((sequence) => cache.get(sequence))
    expect(known.at(-1)).toBe(100)
    expect(known).toEqual(Array.from({ length: known.length }, (_, index) => 101 - known.length + index))
    expect(known.length).toBeGreaterThan(25)
    expect(known.length).toBeLessThan(40)
  })

  it('keeps the others, however often one of them is read from elsewhere', () => {
    const cache = new RecordCache(16_000)
    for (const offset of [1, 2, 3]) cache.remember(offset, encodeRecord(recordWith(offset, 'x')))
    const record = recordWith(2, 'x'.repeat(300))
    for (let times = 0; times < 1_000; times++) cache.remember(2, encodeRecord(record), record)
    expect([1, 2, 3].map((sequence) => cache.get(sequence)?.publications[0]?.draft.data)).toEqual(['x', 'x'.repeat(300), 'x'])
  })

  it('takes one that is larger than a block, and none that is larger than all', () => {
    const cache = new RecordCache(16_000)
    const small = recordWith(1, 'small')
    const large = recordWith(2, 'x'.repeat(8_000))
    cache.remember(1, encodeRecord(small))
    cache.remember(2, encodeRecord(large))
    expect([cache.get(1), cache.get(2)]).toEqual([small, large])
    cache.remember(3, encodeRecord(recordWith(3, 'x'.repeat(16_000))))
    expect([1, 2, 3].map((sequence) => cache.get(sequence)?.offset)).toEqual([1, 2, undefined])
  })

  it('knows nothing after it was cleared', () => {
    const cache = new RecordCache(16_000)
    cache.remember(1, encodeRecord(recordWith(1, 'one')))
    cache.clear()
    expect(cache.get(1)).toBeUndefined()
  })
})
