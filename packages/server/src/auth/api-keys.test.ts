import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiKeys } from './api-keys.ts'

const key = fc.stringMatching(/^[\x21-\x7e]{16,40}$/)

describe('ApiKeys', () => {
  it('knows its keys and nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 5 }), fc.string(), (keys, other) => {
        const known = new ApiKeys(keys)
        for (const one of keys) {
          expect(known.includes(one)).toBe(true)
          expect(known.includes(one.slice(1))).toBe(keys.includes(one.slice(1)))
          expect(known.includes(`${one} `)).toBe(false)
        }
        expect(known.includes(other)).toBe(keys.includes(other))
      }),
    )
  })

  it('lets nobody in when there is none', () => {
    expect(new ApiKeys([]).none).toBe(true)
    expect(new ApiKeys([]).includes('')).toBe(false)
    expect(new ApiKeys(['x'.repeat(16)]).none).toBe(false)
  })

  it.each([
    ['', 'has 0 characters and needs at least 16'],
    ['x'.repeat(15), 'has 15 characters and needs at least 16'],
    ['sixteen letters!!'.replace('!!', ' !'), 'printable ASCII'],
    ['ключ'.repeat(4), 'printable ASCII'],
    [`${'x'.repeat(16)}\n`, 'printable ASCII'],
  ])('refuses the key %j, says which one, and does not print it', (bad, message) => {
    const make = () => new ApiKeys(['a-good-key-of-sixteen', bad])
    expect(make).toThrow(`apiKeys[1]: the key`)
    expect(make).toThrow(message)
    if (bad !== '') expect(make).not.toThrow(bad)
  })
})
