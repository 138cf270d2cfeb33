import { expect, test } from 'vitest'
import { fullJitter } from './backoff.ts'

const BOUNDS = { minBackoffMs: 1000, maxBackoffMs: 30_000 }

test('the bound doubles from the first second to the last thirty', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7, 1000, 5000].map((attempt) => fullJitter(attempt, BOUNDS, 1))
  expect(bounds).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000])
})

test('every moment up to the bound can be drawn', () => {
  expect(fullJitter(3, BOUNDS, 0)).toBe(0)
  expect(fullJitter(3, BOUNDS, 0.25)).toBe(1000)
})
