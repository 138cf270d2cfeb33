import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  apply,
  compose,
  endOfChange,
  isIdle,
  isTextOperation,
  lengthAfter,
  lengthBefore,
  moveIndex,
  type TextOperation,
  transform,
} from './text-operation.ts'

/** Any operation that fits a text of this length. */
const operationOn = (length: number): fc.Arbitrary<TextOperation> =>
  fc.array(fc.oneof(fc.integer({ min: -6, max: 6 }), fc.string({ maxLength: 4 })), { maxLength: 12 }).map((wishes) => {
    const components: (number | string)[] = []
    let left = length
    for (const wish of wishes) {
      const component = typeof wish === 'string' ? wish : Math.sign(wish) * Math.min(Math.abs(wish), left)
      if (component === 0 || component === '') continue
      if (typeof component === 'number') left -= Math.abs(component)
      components.push(component)
    }
    return left > 0 ? [...components, left] : components
  })

const text = fc.string({ maxLength: 24 })
const textAndOperation = text.chain((before) => fc.tuple(fc.constant(before), operationOn(before.length)))
const textAndTwo = text.chain((before) => fc.tuple(fc.constant(before), operationOn(before.length), operationOn(before.length)))

describe('a text operation', () => {
  it('keeps, inserts and deletes', () => {
    expect(apply('hello world', [6, 'brave ', 5])).toBe('hello brave world')
    expect(apply('hello world', [5, -6])).toBe('hello')
  })

  it('knows the lengths before and after', () => {
    fc.assert(
      fc.property(textAndOperation, ([before, operation]) => {
        expect(lengthBefore(operation)).toBe(before.length)
        expect(lengthAfter(operation)).toBe(apply(before, operation).length)
      }),
    )
  })

  it('refuses a text of another length', () => {
    expect(() => apply('hello', [4])).toThrow(RangeError)
    expect(() => compose([4], [5])).toThrow(RangeError)
    expect(() => transform([4], [5])).toThrow(RangeError)
  })

  it('is idle when it only keeps', () => {
    expect(isIdle([])).toBe(true)
    expect(isIdle([5])).toBe(true)
    expect(isIdle([5, 'a'])).toBe(false)
    expect(isIdle([-1])).toBe(false)
  })

  it('composes two that follow each other into one', () => {
    const threeTexts = textAndOperation.chain(([before, first]) =>
      fc.tuple(fc.constant(before), fc.constant(first), operationOn(lengthAfter(first))),
    )
    fc.assert(
      fc.property(threeTexts, ([before, first, second]) => {
        expect(apply(before, compose(first, second))).toBe(apply(apply(before, first), second))
      }),
      { numRuns: 500 },
    )
  })

  it('converges when two made on the same text are transformed', () => {
    fc.assert(
      fc.property(textAndTwo, ([before, first, second]) => {
        const [firstAfter, secondAfter] = transform(first, second)
        expect(apply(apply(before, first), secondAfter)).toBe(apply(apply(before, second), firstAfter))
      }),
      { numRuns: 500 },
    )
  })

  it('puts the text of the first before that of the second at the same place', () => {
    const [, second] = transform(['one'], ['two'])
    expect(apply(apply('', ['one']), second)).toBe('onetwo')
  })

  it('keeps every inserted character when both are transformed', () => {
    fc.assert(
      fc.property(textAndTwo, ([before, first, second]) => {
        const after = apply(apply(before, first), transform(first, second)[1])
        for (const component of [...first, ...second]) if (typeof component === 'string') expect(after).toContain(component)
      }),
    )
  })

  it('moves a caret with the character behind it', () => {
    expect(moveIndex(3, ['ab', 5])).toBe(5)
    expect(moveIndex(3, [3, 'ab', 2])).toBe(3)
    expect(moveIndex(3, [1, -4])).toBe(1)
    fc.assert(
      fc.property(textAndOperation, fc.nat(24), ([before, operation], wish) => {
        const index = Math.min(wish, before.length)
        const moved = moveIndex(index, operation)
        expect(moved).toBeGreaterThanOrEqual(0)
        expect(moved).toBeLessThanOrEqual(lengthAfter(operation))
      }),
    )
  })

  it('says where the author stands afterwards', () => {
    expect(endOfChange([2, 'abc', 4])).toBe(5)
    expect(endOfChange([2, -3, 4])).toBe(2)
    expect(endOfChange([6])).toBeUndefined()
  })

  it('is told apart from anything else that may come over the wire', () => {
    expect(isTextOperation([1, 'a', -1])).toBe(true)
    for (const other of [null, 'abc', [0], [''], [1.5], [true], { 0: 1 }, [Number.NaN]])
      expect(isTextOperation(other)).toBe(false)
  })
})
