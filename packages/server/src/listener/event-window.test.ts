import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventWindow } from './event-window.ts'

describe('EventWindow', () => {
  it('counts one event more than the limit within the window', () => {
    const window = new EventWindow(3, 1000)
    expect([0, 10, 20, 30].map((now) => window.exceeds(now))).toEqual([false, false, false, true])
  })

  it('forgets events that are older than the window', () => {
    const window = new EventWindow(2, 1000)
    expect([0, 500, 1000, 1499, 1501].map((now) => window.exceeds(now))).toEqual([false, false, false, true, true])
  })

  it('agrees with counting all events of the window', () => {
    const gaps = fc.array(fc.nat(400), { maxLength: 60 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), gaps, (max, steps) => {
        const window = new EventWindow(max, 1000)
        const times: number[] = []
        let now = 0
        for (const step of steps) {
          now += step
          times.push(now)
          const recent = times.filter((time) => now - time < 1000).length
          expect(window.exceeds(now)).toBe(recent > max)
        }
      }),
    )
  })
})
