import { expect, it } from 'vitest'
import { Samples } from '../frame/samples.ts'
import { Latencies, Schedule } from './open-loop.ts'

const takeAll = (schedule: Schedule, now: number): number[] => {
  const due: number[] = []
  for (let at = schedule.take(now); at !== undefined; at = schedule.take(now)) due.push(at)
  return due
}

it('gives operations evenly, and those that are late all at once, each with the time at which it was due', () => {
  const schedule = new Schedule(1000, 100)
  expect(takeAll(schedule, 999)).toEqual([])
  expect(takeAll(schedule, 1010)).toEqual([1000, 1010])
  expect(takeAll(schedule, 1045)).toEqual([1020, 1030, 1040])
})

it('counts the wait of operations that were held up behind another one', () => {
  const schedule = new Schedule(0, 100)
  const taken = new Samples()
  const latencies = new Latencies(taken)
  for (const now of [0, 10]) for (const due of takeAll(schedule, now)) latencies.begin(due)
  latencies.answer(2, 11)
  // The load stood still for 30 ms: what was due at 20, 30 and 40 is begun at 41 alone.
  for (const due of takeAll(schedule, 41)) latencies.begin(due)
  expect(latencies.pending).toBe(3)
  latencies.answer(3, 42)
  expect([...taken.sorted()]).toEqual([1, 2, 11, 12, 22])
  expect(latencies.pending).toBe(0)
  expect(() => latencies.answer(1, 50)).toThrow('nothing had asked')
})
