import { jsonSize } from '@fusewire/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeDraft, decodeValue, encodeDraft, encodeValue } from './draft-code.ts'

const value = fc.anything({
  withNullPrototype: false,
  values: [fc.string({ unit: 'binary' }), fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.uint8Array()],
  key: fc.oneof(fc.string(), fc.constantFrom('$bytes', '$', '__proto__', 'toJSON')),
})

describe('values in Redis', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(decodeValue(encodeValue(given))).toEqual(given)
      }),
    )
  })

  it('are JSON as it is where JSON can carry them', () => {
    expect(encodeDraft({ data: { a: [1, 'ž', null] } })).toEqual({ body: '{"data":{"a":[1,"ž",null]}}', bytes: 28 })
    expect(encodeValue({ $a: -0 })).toBe(`$${JSON.stringify({ $$a: { $number: '-0' } })}`)
  })

  it('take as many bytes as jsonSize counts', () => {
    fc.assert(
      fc.property(value, (data) => {
        const { body, bytes } = encodeDraft({ data })
        expect(bytes).toBe(jsonSize({ data }))
        expect(decodeDraft(body)).toEqual({ data })
      }),
    )
  })

  it('are refused where they are nested without end', () => {
    const endless: Record<string, unknown> = {}
    endless.self = endless
    expect(() => encodeDraft({ data: endless })).toThrow('nested deeper')
  })
})
