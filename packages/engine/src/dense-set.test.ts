import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DenseSet, NO_PLACE, type Placed } from './dense-set.ts'

describe('DenseSet', () => {
  it('has what was added, until it is deleted', () => {
    const set = new DenseSet<Placed>()
    const [one, other]: [Placed, Placed] = [{ place: NO_PLACE }, { place: NO_PLACE }]
    set.add(one)
    expect([set.has(one), set.has(other), set.size]).toEqual([true, false, 1])
    expect([set.delete(other), set.delete(one), set.delete(one)]).toEqual([false, true, false])
    expect([set.has(one), set.size, one.place]).toEqual([false, 0, NO_PLACE])
  })

  it('does not take a member of another set for one of its own', () => {
    const [here, there] = [new DenseSet<Placed>(), new DenseSet<Placed>()]
    const [mine, theirs]: [Placed, Placed] = [{ place: NO_PLACE }, { place: NO_PLACE }]
    here.add(mine)
    there.add(theirs)
    expect([here.has(theirs), here.delete(theirs)]).toEqual([false, false])
    expect([here.members, there.members]).toEqual([[mine], [theirs]])
  })

  it('behaves like a Set, whatever comes and goes', () => {
    const operation = fc.record({ do: fc.constantFrom('add' as const, 'delete' as const), member: fc.nat(9) })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
        const things = Array.from({ length: 10 }, (): Placed => ({ place: NO_PLACE }))
        const set = new DenseSet<Placed>()
        const model = new Set<Placed>()
        for (const operation of operations) {
          const thing = things[operation.member] as Placed
          if (operation.do === 'delete') expect(set.delete(thing)).toBe(model.delete(thing))
          else if (!model.has(thing)) {
            set.add(thing)
            model.add(thing)
          }
          expect(set.size).toBe(model.size)
          expect(new Set(set.members)).toEqual(model)
          for (const each of things) expect(set.has(each)).toBe(model.has(each))
        }
      }),
      { numRuns: 50 },
    )
  })
})
