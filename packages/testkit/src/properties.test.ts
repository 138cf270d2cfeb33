import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const longest = (lists: fc.Arbitrary<{ readonly length: number }>): number =>
  Math.max(...fc.sample(lists, 200).map(({ length }) => length))

describe('what properties draw', () => {
  it.each([
    ['a list', fc.array(fc.nat(), { maxLength: 120 })],
    ['a list of different things', fc.uniqueArray(fc.nat(), { maxLength: 120 })],
    ['a text', fc.string({ maxLength: 120 })],
    ['bytes', fc.uint8Array({ maxLength: 120 })],
    [
      'the commands of a model',
      fc.commands([fc.constant({ check: () => true, run: () => undefined })], { maxCommands: 120 }).map((all) => [...all]),
    ],
  ])('is as long as its property allows: %s', (_, lists) => {
    expect(longest(lists)).toBeGreaterThan(100)
  })

  it('stays short where its property names no length', () => {
    expect(longest(fc.array(fc.nat()))).toBeLessThan(20)
  })
})
