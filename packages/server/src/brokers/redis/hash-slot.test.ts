import { describe, expect, it } from 'vitest'
import { hashSlot } from './hash-slot.ts'

describe('hashSlot', () => {
  // As CLUSTER KEYSLOT of a Redis 7.0 answers.
  it.each([
    ['', 0],
    ['foo', 12_182],
    ['123456789', 12_739],
    ['{user1000}.following', 3443],
    ['{user1000}.followers', 3443],
    ['foo{}{bar}', 8363],
    ['foo{{bar}}zap', 4015],
    ['foo{bar}{zap}', 5061],
    ['žluť', 13_649],
  ])('is that of Redis for %j', (key, slot) => {
    expect(hashSlot(key)).toBe(slot)
  })
})
