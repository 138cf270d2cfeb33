import { expect, it } from 'vitest'
import { Samples } from './samples.ts'

it('keeps every number, however many there are, and sorts them by size', () => {
  const samples = new Samples()
  for (let value = 10_000; value >= 1; value--) samples.add(value + 0.5)
  expect(samples).toHaveLength(10_000)
  const sorted = samples.sorted()
  expect(sorted).toHaveLength(10_000)
  expect([sorted[0], sorted[9_999]]).toEqual([1.5, 10_000.5])
})

it('forgets what it had', () => {
  const samples = new Samples()
  samples.add(1)
  samples.clear()
  samples.add(2)
  expect([...samples.sorted()]).toEqual([2])
})
