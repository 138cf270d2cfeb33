import { describe, expect, it } from 'vitest'
import { type ChannelRecord, decodeRecord, encodeRecord } from './channel-record.ts'

const RECORD: ChannelRecord = {
  id: 'node.1',
  epoch: 'e',
  offset: 9,
  time: 1_000,
  previous: 90,
  trail: [
    { sequence: 90, first: 6, last: 7 },
    { sequence: 81, first: 1, last: 5 },
  ],
  keyed: [
    { sequence: 90, time: 990 },
    { sequence: 12, time: 100 },
  ],
  kept: { from: 3, ttlMs: 300_000, bytes: 77 },
  publications: [
    { draft: { data: 1 }, bytes: 10 },
    { draft: { data: null, tags: { a: 'b' }, patch: true, sender: { session: 's' } }, bytes: 20, key: 'k', state: true },
  ],
  document: { base: 81, baseTime: 500, records: 1, recordBytes: 20, maxBytes: 100, time: 1_000, expiresAt: 9_000 },
}

describe('a record of a channel', () => {
  it.each([
    ['with everything', RECORD],
    ['with a document before it', { ...RECORD, before: { value: { deep: [null] } } }],
    ['with nothing', { ...RECORD, trail: [], keyed: [], publications: [] }],
    [
      'with values that JSON has no word for',
      {
        ...RECORD,
        offset: 8,
        publications: [{ draft: { data: { bytes: Uint8Array.of(0, 255), list: [-0, Number.NaN] } }, bytes: 1 }],
      },
    ],
    [
      'with names that begin with a dollar',
      { ...RECORD, offset: 8, publications: [{ draft: { data: { $bytes: 'AA==', $$: [{ $number: 'NaN' }] } }, bytes: 1 }] },
    ],
  ] as [string, ChannelRecord][])('is the same after it was written: %s', (_, record) => {
    expect(decodeRecord(encodeRecord(record))).toEqual(record)
  })

  it.each(['', 'x', 'null', '[]', '{"kept":1}'])('is not read from %j', (text) => {
    expect(decodeRecord(new TextEncoder().encode(text))).toBeUndefined()
  })
})
