import { describe, expect, it } from 'vitest'
import { randomText } from './random-text.ts'

describe('randomText', () => {
  it('has as many bytes as it is asked for', () => {
    for (const bytes of [1, 9, 18, 1000, 4096]) expect(Buffer.from(randomText(bytes), 'base64url')).toHaveLength(bytes)
  })

  it('gives no bytes twice, over many fillings of the pool', () => {
    const given = new Set(Array.from({ length: 20_000 }, (_, index) => randomText(9 + (index % 10))))
    expect(given.size).toBe(20_000)
  })

  it('uses every value of a byte about as often', () => {
    const counts = new Array<number>(256).fill(0)
    for (let time = 0; time < 16; time++)
      for (const byte of Buffer.from(randomText(4000), 'base64url')) counts[byte] = (counts[byte] ?? 0) + 1
    // 250 each; eight standard deviations leave a fair generator one failure in 10^12 runs.
    expect(Math.min(...counts)).toBeGreaterThan(250 - 8 * 16)
    expect(Math.max(...counts)).toBeLessThan(250 + 8 * 16)
  })
})
