import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { eventually } from '@fusewire/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Timed, TimerWheel } from './timer-wheel.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const SLOT_MS = 250
const SLOTS = 16
const START = 1_000_000

/** Writes down when it is called, and asks for another call while it has intervals left. */
class Item implements Timed {
  readonly calls: number[] = []
  readonly #intervals: number[]

  constructor(...intervals: number[]) {
    this.#intervals = intervals
  }

  due(now: number): number | undefined {
    this.calls.push(now)
    const interval = this.#intervals.shift()
    return interval === undefined ? undefined : now + interval
  }
}

const newWheel = (): TimerWheel => new TimerWheel(START, SLOT_MS, SLOTS)

/** Turns the wheel as an engine does: a few times in each slot. */
const turn = (wheel: TimerWheel, from: number, to: number): void => {
  for (let now = from + 100; now < to; now += 100) wheel.advance(now)
  wheel.advance(to)
}

describe('TimerWheel', () => {
  it('calls an item once, at its deadline or less than a slot after it', () => {
    const wheel = newWheel()
    const item = new Item()
    wheel.schedule(item, START + 1100)
    turn(wheel, START, START + 1099)
    expect(item.calls).toEqual([])
    turn(wheel, START + 1099, START + 1100 + SLOT_MS)
    expect(item.calls).toHaveLength(1)
    turn(wheel, START + 1100 + SLOT_MS, START + 10_000)
    expect(item.calls).toHaveLength(1)
    expect(wheel.size).toBe(0)
  })

  it('calls an item that is further away than the wheel is long at its deadline and not at each round', () => {
    const wheel = newWheel()
    const item = new Item()
    const deadline = START + 10 * SLOTS * SLOT_MS
    wheel.schedule(item, deadline)
    turn(wheel, START, deadline - 1)
    expect(item.calls).toEqual([])
    turn(wheel, deadline - 1, deadline + SLOT_MS)
    expect(item.calls).toHaveLength(1)
  })

  it('calls again at the deadline that an item answers with', () => {
    const wheel = newWheel()
    const item = new Item(1000, 20_000)
    wheel.schedule(item, START + 1000)
    turn(wheel, START, START + 40_000)
    expect(item.calls).toHaveLength(3)
    expect(wheel.size).toBe(0)
  })

  it.each([
    ['ever', 0],
    ['once the clock went ahead', 3_600_000],
    ['once the clock went back', -900_000],
  ])('does not touch an item before its slot comes: %s', (_, leap) => {
    const wheel = newWheel()
    if (leap !== 0) wheel.advance(START + leap)
    const item: Timed = new Item()
    wheel.schedule(item, START + leap + 10 * SLOT_MS)
    const { wait } = item
    wheel.advance(START + leap + 5 * SLOT_MS)
    expect(item.wait).toBe(wait)
  })

  it('holds nothing of an item that was moved and dropped', async () => {
    const wheel = newWheel()
    const dropped = (() => {
      const item = new Item()
      wheel.schedule(item, START + 1000)
      wheel.schedule(item, START + 2000)
      wheel.cancel(item)
      return new WeakRef(item)
    })()
    await eventually(async () => {
      // What was looked at in this turn is kept until its end.
      await new Promise(setImmediate)
      collectGarbage()
      expect(dropped.deref()).toBeUndefined()
    })
    expect(wheel.size).toBe(0)
  })

  it('moves an item to its new deadline, and forgets one that is cancelled', () => {
    const wheel = newWheel()
    const [moved, cancelled] = [new Item(), new Item()]
    wheel.schedule(moved, START + 500)
    wheel.schedule(moved, START + 3000)
    wheel.schedule(cancelled, START + 500)
    wheel.cancel(cancelled)
    wheel.cancel(cancelled)
    turn(wheel, START, START + 2000)
    expect([moved.calls, cancelled.calls]).toEqual([[], []])
    turn(wheel, START + 2000, START + 4000)
    expect([moved.calls.length, cancelled.calls.length]).toEqual([1, 0])
  })

  it('hastens an item to a sooner deadline, and leaves one that is called sooner', () => {
    const wheel = newWheel()
    const [sooner, later, fresh] = [new Item(), new Item(), new Item()]
    for (const item of [sooner, later]) wheel.schedule(item, START + 1500)
    wheel.hasten(sooner, START + 500)
    wheel.hasten(later, START + 3000)
    wheel.hasten(fresh, START + 500)
    turn(wheel, START, START + 1000)
    expect([sooner, later, fresh].map(({ calls }) => calls.length)).toEqual([1, 0, 1])
    turn(wheel, START + 1000, START + 2000)
    expect([sooner, later, fresh].map(({ calls }) => calls.length)).toEqual([1, 1, 1])
  })

  it('lets an item drop and move others of the same slot', () => {
    const wheel = newWheel()
    const [dropped, moved] = [new Item(), new Item()]
    const first: Timed = {
      due: () => {
        wheel.cancel(dropped)
        wheel.schedule(moved, START + 2000)
        return undefined
      },
    }
    for (const item of [first, dropped, moved]) wheel.schedule(item, START + 500)
    turn(wheel, START, START + 1000)
    expect([dropped.calls, moved.calls]).toEqual([[], []])
    turn(wheel, START + 1000, START + 2000 + SLOT_MS)
    expect([dropped.calls.length, moved.calls.length]).toEqual([0, 1])
  })

  it('calls nothing early when the clock goes back, and then counts from there', () => {
    const wheel = newWheel()
    const item = new Item()
    wheel.schedule(item, START + 1000)
    wheel.advance(START - 3_600_000)
    expect(item.calls).toEqual([])
    turn(wheel, START - 3_600_000, START - 3_590_000)
    expect(item.calls).toEqual([])
    wheel.advance(START + 1000)
    expect(item.calls).toHaveLength(1)
  })

  it('calls what a clock that leaps ahead has made due, and nothing else', () => {
    const wheel = newWheel()
    const [due, later] = [new Item(), new Item()]
    wheel.schedule(due, START + 3_000_000)
    wheel.schedule(later, START + 4_000_000)
    wheel.advance(START + 3_600_000)
    expect([due.calls.length, later.calls.length]).toEqual([1, 0])
    wheel.advance(START + 4_000_000)
    expect(later.calls).toHaveLength(1)
  })

  it('behaves like a list of deadlines, whatever is scheduled, moved and cancelled, however the clock goes', () => {
    const ms = fc.integer({ min: -500, max: 3 * SLOTS * SLOT_MS })
    const operation = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('schedule' as const), item: fc.nat(7), ms }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), item: fc.nat(7) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 6 * SLOT_MS }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('leap' as const), ms: fc.integer({ min: -50_000, max: 50_000 }) }) },
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), fc.array(ms, { maxLength: 4 }), (operations, intervals) => {
        let now = START
        const wheel = new TimerWheel(now, SLOT_MS, SLOTS)
        /** Deadlines, and since when they can have been kept: an overdue one waits for the next slot. */
        const model = new Map<Timed, { readonly deadline: number; readonly since: number }>()
        const items = Array.from({ length: 8 }, (_, index): Timed => {
          const left = index % 2 ? [...intervals] : []
          const item: Timed = {
            due: (at) => {
              expect(at).toBe(now)
              expect(model.get(item)?.deadline).toBeLessThanOrEqual(now)
              model.delete(item)
              const interval = left.shift()
              if (interval === undefined) return undefined
              model.set(item, { deadline: now + interval, since: now })
              return now + interval
            },
          }
          return item
        })
        for (const operation of operations) {
          if (operation.do === 'pass' || operation.do === 'leap') {
            now += operation.ms
            if (operation.do === 'leap') for (const [item, { deadline }] of model) model.set(item, { deadline, since: now })
            wheel.advance(now)
            for (const { deadline, since } of model.values()) expect(Math.max(deadline, since)).toBeGreaterThan(now - SLOT_MS)
          } else {
            const item = items[operation.item]
            if (!item) continue
            if (operation.do === 'cancel') {
              wheel.cancel(item)
              model.delete(item)
            } else {
              wheel.schedule(item, now + operation.ms)
              model.set(item, { deadline: now + operation.ms, since: now })
            }
          }
          expect(wheel.size).toBe(model.size)
        }
      }),
      { numRuns: 300 },
    )
  })
})
