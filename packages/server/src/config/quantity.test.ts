import { describe, expect, it } from 'vitest'
import { readQuantity } from './quantity.ts'

describe('readQuantity', () => {
  it.each([
    ['25s', 'milliseconds', 25_000],
    ['1.5 min', 'milliseconds', 90_000],
    ['2 hours', 'milliseconds', 7_200_000],
    ['500ms', 'milliseconds', 500],
    ['25000', 'milliseconds', 25_000],
    ['25_000', 'milliseconds', 25_000],
    ['64KB', 'bytes', 65_536],
    ['64 KiB', 'bytes', 65_536],
    ['1m', 'bytes', 1_048_576],
    ['1,048,576', 'bytes', 1_048_576],
    ['.5k', 'bytes', 512],
    ['12', undefined, 12],
  ] as const)('reads %s as %s', (written, unit, number) => {
    expect(readQuantity(written, unit)).toBe(number)
  })

  it.each([
    ['soon', 'milliseconds'],
    ['25 parsecs', 'milliseconds'],
    ['5s', 'bytes'],
    ['5s', undefined],
    ['', 'bytes'],
    ['-5s', 'milliseconds'],
    ['1.2.3', 'bytes'],
  ] as const)('has no reading for %j in %s', (written, unit) => {
    expect(readQuantity(written, unit)).toBeUndefined()
  })
})
