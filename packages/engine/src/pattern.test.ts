import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern } from './pattern.ts'

/** The plainest matcher: tries every way. */
const matches = (pattern: string, name: string): boolean => {
  if (pattern === '') return name === ''
  const stars = pattern.startsWith('**') ? 2 : pattern.startsWith('*') ? 1 : 0
  if (stars === 0) return name.startsWith(pattern.charAt(0)) && matches(pattern.slice(1), name.slice(1))
  for (let length = 1; length <= name.length; length++) {
    if (stars === 1 && name.charAt(length - 1) === ':') return false
    if (matches(pattern.slice(stars), name.slice(length))) return true
  }
  return false
}

describe('compilePattern', () => {
  it.each([
    ['chat:*', 'chat:lobby', true],
    ['chat:*', 'chat:lobby:typing', false],
    ['chat:*', 'chat:', false],
    ['chat:**', 'chat:lobby:typing', true],
    ['chat:**', 'chat:', false],
    ['*', 'news', true],
    ['*', 'chat:lobby', false],
    ['**', 'chat:lobby', true],
    ['*:typing', 'lobby:typing', true],
    ['a.c', 'abc', false],
    ['a+(b)[c]{d}|e^f$g\\h?i', 'a+(b)[c]{d}|e^f$g\\h?i', true],
    ['čaj:*', 'čaj:🍵', true],
    ['chat', 'my chat', false],
  ])('%j on %j: %j', (pattern, name, expected) => {
    expect(compilePattern(pattern).test(name)).toBe(expected)
  })

  it('agrees with a matcher that tries every way', () => {
    const unit = fc.constantFrom('a', 'b', ':', '.', '*')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), fc.string({ unit, maxLength: 8 }), (pattern, name) => {
        expect(compilePattern(pattern).test(name)).toBe(matches(pattern, name))
      }),
      { numRuns: 3000 },
    )
  })

  it('gives an answer in time, however the pattern is made', () => {
    const started = Date.now()
    expect(compilePattern(`${'**a'.repeat(20)}b`).test('a'.repeat(255))).toBe(false)
    expect(compilePattern(`${'*a'.repeat(20)}b`).test('a'.repeat(255))).toBe(false)
    expect(Date.now() - started).toBeLessThan(1000)
  })
})
