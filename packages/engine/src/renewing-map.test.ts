import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RenewingMap } from './renewing-map.ts'

describe('RenewingMap', () => {
  it('keeps its entries in the order in which they came, however often it is renewed', () => {
    const map = new RenewingMap<number, string>()
    map.set(-1, 'first')
    for (let key = 0; key < 10_000; key++) {
      map.set(key, `${key}`)
      if (key >= 100) map.delete(key - 100)
    }
    expect(map.size).toBe(101)
    expect([...map.keys()]).toEqual([-1, ...Array.from({ length: 100 }, (_, index) => 9900 + index)])
  })

  it.each([
    ['64 where few are there', 10, 65],
    ['half as many as are there', 1000, 501],
  ])('goes on in another table once more have come than %s', (_, living, additions) => {
    const map = new RenewingMap<number, number>()
    let next = 0
    const add = (): void => {
      map.set(next, next)
      for (let times = 0; times < 3; times++) map.set(next, times)
      map.delete(next - living)
      next++
    }
    /** How many additions an iterator sees, which is under way at the end of the table. */
    const seen = (): number => {
      const underWay = map.keys()
      for (let i = 0; i < map.size; i++) underWay.next()
      for (let count = 0; ; count++) {
        add()
        if (underWay.next().done) return count
      }
    }
    while (next < living) add()
    seen()
    // Of the table that it goes on in, the first is what the iterator of the one before has not seen any more.
    expect([1 + seen(), 1 + seen()]).toEqual([additions, additions])
  })

  it('lets an iterator that is under way see what is deleted', () => {
    const map = new RenewingMap<number, number>()
    for (let key = 0; key < 200; key++) map.set(key, key)
    const seen: number[] = []
    for (const [key] of map) {
      seen.push(key)
      map.delete(key)
      map.delete(key + 1)
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => 2 * index))
    expect(map.size).toBe(0)
  })

  it('behaves like a Map, whatever is done to it', () => {
    const key = fc.nat(300)
    const operation = fc.oneof(
      { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), key, value: fc.nat() }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('fill' as const), key, count: fc.nat(200) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), key, count: fc.nat(200) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const map = new RenewingMap<number, number>()
        const model = new Map<number, number>()
        for (const operation of operations) {
          if (operation.do === 'clear') for (const each of [map, model]) each.clear()
          else if (operation.do === 'set') for (const each of [map, model]) each.set(operation.key, operation.value)
          else if (operation.do === 'delete') expect(map.delete(operation.key)).toBe(model.delete(operation.key))
          else
            for (let key = operation.key; key < operation.key + operation.count; key++) {
              if (operation.do === 'fill') for (const each of [map, model]) each.set(key, key)
              else expect(map.delete(key)).toBe(model.delete(key))
            }
          expect([...map]).toEqual([...model])
          expect([...map.keys()]).toEqual([...model.keys()])
          expect([...map.values()]).toEqual([...model.values()])
          expect(map.size).toBe(model.size)
        }
        for (let key = 0; key <= 300; key++) expect([map.has(key), map.get(key)]).toEqual([model.has(key), model.get(key)])
      }),
      { numRuns: 30 },
    )
  })
})
