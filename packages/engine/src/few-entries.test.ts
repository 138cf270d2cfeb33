import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FewEntries } from './few-entries.ts'

const operation = fc.record({ kind: fc.constantFrom('set', 'delete'), key: fc.constantFrom('a', 'b', 'c') })

it('does what a Map does', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      const few = new FewEntries<{ readonly number: number }>()
      const map = new Map<string, { readonly number: number }>()
      for (const [number, { kind, key }] of operations.entries()) {
        const value = { number }
        if (kind === 'set') {
          few.set(key, value)
          map.set(key, value)
        } else expect(few.delete(key)).toBe(map.delete(key))
        expect(few.size).toBe(map.size)
        expect(few.keys()).toEqual([...map.keys()])
        expect(few.values()).toEqual([...map.values()])
        for (const other of ['a', 'b', 'c']) {
          expect(few.get(other)).toBe(map.get(other))
          expect(few.has(other)).toBe(map.has(other))
        }
      }
    }),
  )
})

it('gives copies, of which any may be deleted', () => {
  const few = new FewEntries<object>()
  for (const key of ['a', 'b', 'c']) few.set(key, {})
  for (const key of few.keys()) few.delete(key)
  expect(few.size).toBe(0)
})
