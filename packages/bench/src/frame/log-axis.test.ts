import { expect, it } from 'vitest'
import { logAxis } from './log-axis.ts'

it('goes by decades from below the smallest value to above the largest', () => {
  const { ticks, at } = logAxis([12, 90_000], 0, 400)
  expect(ticks).toEqual([10, 100, 1000, 10_000, 100_000])
  expect([at(10), at(1000), at(100_000)]).toEqual([0, 200, 400])
})

it('has finer steps for values that are close together, and runs upwards where the drawing does', () => {
  const { ticks, at } = logAxis([0.9, 6.5], 300, 0)
  expect(ticks).toEqual([0.5, 1, 2, 5, 10])
  expect([at(0.5), at(10)]).toEqual([300, 0])
})

it('has an axis for one value too', () => {
  expect(logAxis([5], 0, 100).ticks).toEqual([5, 10])
})
