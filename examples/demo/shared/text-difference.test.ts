import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { difference } from './text-difference.ts'
import { apply } from './text-operation.ts'

describe('the difference of two texts', () => {
  it('turns the one into the other, wherever the caret is', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '😀', '😁'), maxLength: 16 })
    fc.assert(
      fc.property(text, text, fc.nat(20), (before, after, caret) => {
        expect(apply(before, difference(before, after, Math.min(caret, after.length)))).toBe(after)
      }),
      { numRuns: 1000 },
    )
  })

  it('is one insert for typed text and one delete for deleted text', () => {
    expect(difference('hello', 'hello!', 6)).toEqual([5, '!'])
    expect(difference('hello', 'hllo', 1)).toEqual([1, -1, 3])
    expect(difference('same', 'same')).toEqual([4])
  })

  it('finds the place of a doubled letter from the caret', () => {
    expect(difference('hello', 'helllo', 3)).toEqual([2, 'l', 3])
    expect(difference('hello', 'helllo', 5)).toEqual([4, 'l', 1])
  })

  it('never parts a surrogate pair', () => {
    expect(difference('a😀b', 'a😁b')).toEqual([1, '😁', -2, 1])
    expect(difference('\u{1F600}', '\u{1FA00}')).toEqual(['\u{1FA00}', -2])
  })
})
