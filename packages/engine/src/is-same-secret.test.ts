import fc from 'fast-check'
import { describe, it } from 'vitest'
import { isSameSecret } from './is-same-secret.ts'

describe('isSameSecret', () => {
  it('says what === says', () => {
    const secret = fc.string({ unit: fc.constantFrom('a', 'b', '\u0161'), maxLength: 4 })
    fc.assert(fc.property(secret, secret, (one, other) => isSameSecret(one, other) === (one === other)))
  })
})
