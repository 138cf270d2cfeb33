import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonSize } from './json-size.ts'

const written = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

describe('the size of a value as JSON', () => {
  it('is that of the text which JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withSparseArray: true }), (value) => {
        if (JSON.stringify(value) === undefined) return
        expect(jsonSize(value)).toBe(written(value))
      }),
      { numRuns: 2000 },
    )
  })

  it('counts every character as UTF-8 and its escapes have it', () => {
    const unit = fc.oneof(
      fc.integer({ max: 0xffff, min: 0 }),
      fc.constantFrom(0, 8, 0x22, 0x5c, 0x7f, 0x80, 0x7ff, 0xd83d, 0xdc0e),
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 20 }), (units) => {
        const text = String.fromCharCode(...units)
        expect(jsonSize(text)).toBe(written(text))
        expect(jsonSize({ [text]: [text] })).toBe(written({ [text]: [text] }))
      }),
      { numRuns: 2000 },
    )
  })

  it('counts bytes as base64', () => {
    for (let length = 0; length < 10; length++)
      expect(jsonSize({ bytes: new Uint8Array(length) })).toBe(written({ bytes: Buffer.alloc(length).toString('base64') }))
    expect(jsonSize(Buffer.alloc(3))).toBe(6)
  })

  it('counts what a date is written as', () => {
    expect(jsonSize({ at: new Date(0) })).toBe(written({ at: new Date(0) }))
  })

  it('refuses what nests too deeply, cycles included', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => jsonSize(cycle)).toThrow(expect.objectContaining({ code: 'message_too_deep' }))
  })
})
