import { FakeEnvironment } from '@fusewire/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Departing, Departures } from './departures.ts'

const WINDOW_MS = 5000
const STEP_MS = 50

let environment: FakeEnvironment
let departures: Departures
/** Who was told when, counted from the beginning. */
let told: { name: number; at: number }[]
let beganAt: number

beforeEach(() => {
  environment = new FakeEnvironment()
  beganAt = environment.now()
  departures = new Departures(() => environment.random(), beganAt)
  told = []
})

class Guest implements Departing {
  isBusy = false
  readonly name: number

  constructor(name: number) {
    this.name = name
    departures.add(this)
  }

  depart(): void {
    told.push({ name: this.name, at: environment.now() - beganAt })
    departures.remove(this)
  }
}

const arrive = (count: number, first = 0): Guest[] => Array.from({ length: count }, (_, n) => new Guest(first + n))

const begin = (windowMs = WINDOW_MS): void => {
  departures.endBy(environment.now() + windowMs)
  departures.advance(environment.now())
}

const pass = (ms: number): void => {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    environment.advance(STEP_MS)
    departures.advance(environment.now())
  }
}

describe('departures', () => {
  it('are spread evenly over the window: never more at a time than the pace asks for', () => {
    arrive(1000)
    begin()
    pass(WINDOW_MS)
    expect(told).toHaveLength(1000)
    const slots = new Map<number, number>()
    for (const { at } of told) slots.set(at, (slots.get(at) ?? 0) + 1)
    // 1,000 in 5 s are ten in 50 ms; the first slot has the one more that goes at once.
    expect(Math.max(...slots.values())).toBeLessThanOrEqual(11)
    expect(slots.size).toBeGreaterThanOrEqual(WINDOW_MS / STEP_MS)
  })

  it('come at i/n of the window, the first one at once', () => {
    arrive(4)
    begin(4000)
    pass(4000)
    expect(told.map(({ at }) => at)).toEqual([0, 1000, 2000, 3000])
  })

  it('are in an order by chance, which is not that of arrival', () => {
    arrive(100)
    begin()
    pass(WINDOW_MS)
    const names = told.map(({ name }) => name)
    expect(names).not.toEqual([...names].sort((a, b) => a - b))
    expect(new Set(names).size).toBe(100)
  })

  it('are sooner for the others when some go by themselves', () => {
    const guests = arrive(4)
    begin(4000)
    const [first] = told
    for (const guest of guests.filter(({ name }) => name !== first?.name).slice(0, 2)) departures.remove(guest)
    expect(departures.size).toBe(1)
    pass(4000)
    expect(told.map(({ at }) => at)).toEqual([0, 1000])
  })

  it('find a moment for those who come late, also after the window', () => {
    arrive(2)
    begin(4000)
    pass(1000)
    arrive(2, 10)
    pass(3000)
    expect(told.map(({ at }) => at)).toEqual([0, 2000, 2700, 3350])
    arrive(1, 20)
    pass(STEP_MS)
    expect(told.at(-1)).toEqual({ name: 20, at: 4050 })
  })

  it('wait for an answer that is under way, and keep nobody else waiting', () => {
    const guests = arrive(3)
    const busy = guests[1] as Guest
    busy.isBusy = true
    begin(3000)
    pass(6000)
    expect(told).toHaveLength(2)
    expect(departures.size).toBe(1)
    busy.isBusy = false
    pass(STEP_MS)
    expect(told.at(-1)).toEqual({ name: 1, at: 6050 })
    expect(departures.size).toBe(0)
  })

  it('are hurried by a shorter window, and not delayed by a longer one', () => {
    arrive(10)
    begin()
    departures.endBy(environment.now() + 10 * WINDOW_MS)
    pass(1000)
    expect(told).toHaveLength(3)
    begin(0)
    expect(told).toHaveLength(10)
  })

  it('tell everybody once and nobody after the window, whoever comes and goes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.array(fc.record({ after: fc.integer({ min: 0, max: 1000 }), comes: fc.boolean(), which: fc.nat(50) }), {
          maxLength: 30,
        }),
        (count, happenings) => {
          environment = new FakeEnvironment()
          beganAt = environment.now()
          departures = new Departures(() => environment.random(), beganAt)
          told = []
          const guests = arrive(count)
          const left = new Set<number>()
          begin()
          for (const { after, comes, which } of happenings) {
            pass(after)
            if (comes) guests.push(...arrive(1, guests.length))
            const going = comes ? undefined : guests[which]
            if (!going || told.some(({ name }) => name === going.name)) continue
            departures.remove(going)
            left.add(going.name)
          }
          pass(WINDOW_MS)
          expect(departures.size).toBe(0)
          const names = told.map(({ name }) => name)
          expect(names.toSorted((a, b) => a - b)).toEqual(guests.map(({ name }) => name).filter((name) => !left.has(name)))
        },
      ),
      { numRuns: 200 },
    )
  })
})
