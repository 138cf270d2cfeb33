import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventIdWriter, readEventId } from './event-id.ts'

const epoch = fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' }).filter((text) => text.length <= 64)
const position = fc.record({ epoch, offset: fc.nat({ max: Number.MAX_SAFE_INTEGER }) })
const positions = fc.dictionary(fc.string({ minLength: 1, maxLength: 40 }), position, { minKeys: 1, maxKeys: 20 })

const write = (of: Record<string, { epoch: string; offset: number }>, stop = false): string => {
  const writer = new EventIdWriter(Object.keys(of))
  for (const [channel, position] of Object.entries(of)) writer.set(channel, position)
  return writer.id(stop)
}

describe('the id of a one-way event', () => {
  it('brings back the positions that were written', () => {
    fc.assert(
      fc.property(positions, fc.boolean(), (of, stop) => {
        const read = readEventId(write(of, stop), Object.keys(of))
        expect(read?.stop).toBe(stop)
        expect(read && Object.fromEntries(read.positions)).toEqual(of)
      }),
    )
  })

  it('needs no escape in a URL or a header', () => {
    fc.assert(fc.property(positions, fc.boolean(), (of, stop) => /^[A-Za-z0-9._~-]+$/.test(write(of, stop))))
  })

  it('is short: channels of one epoch share it', () => {
    const of = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`market:${i}`, { epoch: '7c1f0a52-5b1e-4d5e-9d4e-0d6a2f.1', offset: 123_456 + i }]),
    )
    expect(write(of).length).toBeLessThan(1_200)
  })

  it('follows the channels one by one', () => {
    const writer = new EventIdWriter(['a', 'b'])
    expect(readEventId(writer.id(), ['a', 'b'])).toEqual({ stop: false, positions: new Map() })
    writer.set('a', { epoch: 'e', offset: 1 })
    writer.set('b', { epoch: 'f', offset: 7 })
    writer.advance('a', 2)
    writer.set('elsewhere', { epoch: 'e', offset: 9 })
    const expected = new Map([
      ['a', { epoch: 'e', offset: 2 }],
      ['b', { epoch: 'f', offset: 7 }],
    ])
    expect(readEventId(writer.id(), ['b', 'c', 'a'])?.positions).toEqual(expected)
  })

  it('is not read for a stream of other channels', () => {
    expect(readEventId(write({ a: { epoch: 'e', offset: 1 } }), ['b'])).toBeUndefined()
  })

  it('is not read when it is malformed, whatever it is', () => {
    for (const id of [
      '',
      '0',
      '1~',
      '1~abcdef1',
      '1~.',
      '1~.e~',
      '1~.e~abcdef',
      '1~.e~abcdef!',
      '2~.e~abcdef1',
      'x'.repeat(9_000),
    ])
      expect(readEventId(id, ['a']), id).toBeUndefined()
    const known = write({ a: { epoch: 'e', offset: 1 } })
    expect(readEventId(`${known}zzzzzzzzzzzz`, ['a'])).toBeUndefined()
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `${known}${text}`),
          fc.string().map((text) => `1~${text}`),
        ),
        (id) => {
          const read = readEventId(id, ['a'])
          for (const { epoch, offset } of read?.positions.values() ?? []) {
            expect(epoch.length).toBeGreaterThan(0)
            expect(epoch.length).toBeLessThanOrEqual(64)
            expect(Number.isSafeInteger(offset)).toBe(true)
          }
        },
      ),
    )
  })
})
