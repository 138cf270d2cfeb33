import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { type MergePatch, mergePatch } from './merge-patch.ts'

/** RFC 7396, appendix A: document, patch, result. */
const APPENDIX_A: readonly (readonly [unknown, unknown, unknown])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

const freeze = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}

describe('[D2] a merge patch', () => {
  test.each(APPENDIX_A)('RFC 7396 appendix A: %j, patched by %j, is %j', (document, patch, result) => {
    expect(mergePatch(freeze(document), freeze(patch))).toEqual(result)
  })

  test('of a channel without a document makes one', () => {
    expect(mergePatch(undefined, { a: 1, b: null })).toEqual({ a: 1 })
  })

  test('changes neither of its arguments, and applied twice is applied once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (document, patch) => {
        const once = mergePatch(freeze(document), freeze(patch))
        expect(mergePatch(freeze(once), patch)).toEqual(once)
      }),
    )
  })

  test('shares what it does not touch', () => {
    const document = { left: { a: 1 }, right: { b: 1, deep: { c: 1 } } }
    const patched = mergePatch(document, { right: { b: 2 } }) as typeof document
    expect(patched.left).toBe(document.left)
    expect(patched.right).not.toBe(document.right)
    expect(patched.right.deep).toBe(document.right.deep)
  })

  test('changes in place what is its own, and nothing else', () => {
    const own = new WeakSet<object>()
    const given = freeze({ kept: { a: 1 }, changed: { b: 1 } })
    const first = mergePatch(given, freeze({ changed: { b: 2 }, added: { c: 1 } }), own)
    const second = mergePatch(first, freeze({ changed: { b: 3 }, added: { c: null }, kept: { a: 2 } }), own)
    expect(second).toBe(first)
    expect(second).toEqual({ kept: { a: 2 }, changed: { b: 3 }, added: {} })
  })

  test('makes the same of a document in place or not', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.jsonValue(), { maxLength: 5 }), (document, patches) => {
        const own = new WeakSet<object>()
        const [inPlace, copied] = patches.reduce<readonly [unknown, unknown]>(
          ([value, copy], patch) => [mergePatch(value, freeze(patch), own), mergePatch(copy, patch)],
          [freeze(document), document],
        )
        expect(inPlace).toEqual(copied)
      }),
    )
  })

  test('takes bytes as a whole', () => {
    const bytes = new Uint8Array([1, 2])
    expect(mergePatch({ a: new Uint8Array([3]) }, { a: bytes })).toEqual({ a: bytes })
    expect(mergePatch({ a: bytes }, { a: { b: 1 } })).toEqual({ a: { b: 1 } })
  })

  test('has no names that reach a prototype', () => {
    const patch = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}')
    const patched = mergePatch({}, patch)
    expect(JSON.stringify(patched)).toBe(JSON.stringify(patch))
    expect(Object.getPrototypeOf(patched)).toBe(Object.prototype)
    expect('polluted' in {}).toBe(false)
    expect(JSON.stringify(mergePatch(patched, JSON.parse('{"__proto__": null, "constructor": null}')))).toBe('{}')
    expect(mergePatch({}, { toString: { a: 1 } })).toEqual({ toString: { a: 1 } })
  })

  test('is typed by its document', () => {
    interface Room {
      readonly title: string
      readonly topic?: string
      readonly seats: Readonly<Record<string, { readonly taken: boolean }>>
      readonly tags: readonly string[]
    }
    expectTypeOf<{ title: 'x'; topic: null }>().toExtend<MergePatch<Room>>()
    expectTypeOf<{ seats: { a1: { taken: true }; a2: null } }>().toExtend<MergePatch<Room>>()
    expectTypeOf<{ title: null }>().not.toExtend<MergePatch<Room>>()
    expectTypeOf<{ tags: { 0: 'x' } }>().not.toExtend<MergePatch<Room>>()
    expectTypeOf<MergePatch<unknown>>().toEqualTypeOf<unknown>()
  })
})
