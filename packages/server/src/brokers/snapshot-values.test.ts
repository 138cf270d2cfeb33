import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromJsonValue, toJsonValue } from './snapshot-values.ts'

const throughJson = (value: unknown): unknown => fromJsonValue(JSON.parse(JSON.stringify(toJsonValue(value))))

const names = fc.oneof(fc.string(), fc.constantFrom('$bytes', '$$bytes', '$number', '$', '__proto__', 'toString'))
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

it('gives back any value that a client can publish, bytes and all', () => {
  fc.assert(
    fc.property(value, (published) => {
      expect(throughJson(published)).toStrictEqual(published)
    }),
    { numRuns: 1000 },
  )
})

it('takes a part of a larger buffer for what it is', () => {
  expect(throughJson({ part: Buffer.from('abcdef').subarray(2, 4) })).toStrictEqual({ part: new Uint8Array([99, 100]) })
})

it('keeps a date as the text that clients get', () => {
  expect(throughJson([new Date(0)])).toEqual(['1970-01-01T00:00:00.000Z'])
})
