import { describe, expect, it } from 'vitest'
import { growthExponent, median, medianInterval, middleHalf, quantile } from './statistics.ts'

describe('statistics', () => {
  it('takes the middle value, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(median([])).toBeNaN()
  })

  it('gives the middle half, which is one value of one', () => {
    expect(middleHalf([1, 2, 3, 4])).toEqual([1.5, 3.5])
    expect(middleHalf([5, 1, 4, 2, 3])).toEqual([2, 4])
    expect(middleHalf([7])).toEqual([7, 7])
  })

  it('says between which values a median lies nine times out of ten, for as few as five', () => {
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
    expect([4, 5, 7, 8, 11, 15, 20, 3000].map((count) => medianInterval(upTo(count)))).toEqual([
      undefined,
      [1, 5],
      [1, 7],
      [2, 7],
      [3, 9],
      [4, 12],
      [6, 15],
      [1455, 1546],
    ])
    expect(medianInterval([])).toBeUndefined()
    // Whatever far away ones are like.
    expect(medianInterval([3, 2, 8, 1, 4, 5, 7, 1000])).toEqual([2, 8])
  })

  it('gives quantiles of sorted values, the largest at the end', () => {
    const values = Array.from({ length: 1000 }, (_, index) => index)
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)]).toEqual([500, 990, 999])
    expect(quantile([], 0.5)).toBeNaN()
  })

  it('knows linear growth from quadratic, and from none', () => {
    const grow = (power: number) => growthExponent([1, 10, 100].map((size) => ({ size, cost: 3 * size ** power })))
    expect(grow(1)).toBeCloseTo(1)
    expect(grow(2)).toBeCloseTo(2)
    expect(grow(0)).toBeCloseTo(0)
  })
})
