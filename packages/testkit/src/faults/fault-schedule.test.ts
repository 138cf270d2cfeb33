import { describe, expect, it } from 'vitest'
import { Random } from '../random.ts'
import { FAULT_KINDS } from './fault.ts'
import { faultSchedule } from './fault-schedule.ts'

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    const schedule = (seed: number) => faultSchedule(new Random(seed), { durationMs: 5_000 })
    expect(schedule(7)).toEqual(schedule(7))
    expect(schedule(7)).not.toEqual(schedule(8))
  })

  it('comes in the order of time, and is over when it says', () => {
    for (let seed = 0; seed < 100; seed++) {
      const schedule = faultSchedule(new Random(seed), { durationMs: 2_000, maxGapMs: 300 })
      const times = schedule.map(({ atMs }) => atMs)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
      for (const { atMs, fault } of schedule)
        expect(atMs + ('forMs' in fault ? (fault.forMs ?? Number.POSITIVE_INFINITY) : 0)).toBeLessThanOrEqual(2_000)
    }
  })

  it('has every kind that is asked for, and no other', () => {
    const kinds = (of?: typeof FAULT_KINDS) =>
      new Set(faultSchedule(new Random(1), { durationMs: 60_000, ...(of && { kinds: of }) }).map(({ fault }) => fault.kind))
    expect(kinds()).toEqual(new Set(FAULT_KINDS))
    expect(kinds(['cut', 'stall'])).toEqual(new Set(['cut', 'stall']))
  })
})
