import fc from 'fast-check'
import { expect, it } from 'vitest'
import { kvName, kvToken } from './kv-key.ts'

it('makes a token of any name, and the name of it again', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('\ud800', '\udfff', 'ü', '=', '%', 'u', 'D') })),
      (name) => {
        const token = kvToken(name)
        expect(token).toMatch(/^[-\w=]*$/)
        expect(token).not.toMatch(/=[a-tv-z]/)
        expect(kvName(token)).toBe(name)
      },
    ),
  )
})
