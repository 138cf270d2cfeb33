import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UpstreamSequence } from './upstream-sequence.ts'

const LIMITS = { maxHeld: 8, maxHeldBytes: 100 }

describe('UpstreamSequence', () => {
  it('gives items at once that come in order', () => {
    const sequence = new UpstreamSequence<string>(LIMITS)
    expect(sequence.accept(1, 'a', 1)).toEqual(['a'])
    expect(sequence.accept(2, 'b', 1)).toEqual(['b'])
  })

  it('holds early items until their turn', () => {
    const sequence = new UpstreamSequence<string>(LIMITS)
    expect(sequence.accept(3, 'c', 1)).toEqual([])
    expect(sequence.accept(2, 'b', 1)).toEqual([])
    expect(sequence.accept(1, 'a', 1)).toEqual(['a', 'b', 'c'])
    expect(sequence.accept(4, 'd', 1)).toEqual(['d'])
  })

  it('knows repeated items, held or given', () => {
    const sequence = new UpstreamSequence<string>(LIMITS)
    sequence.accept(1, 'a', 1)
    sequence.accept(3, 'c', 1)
    expect(sequence.accept(1, 'again', 1)).toBe('duplicate')
    expect(sequence.accept(3, 'again', 1)).toBe('duplicate')
    expect(sequence.accept(2, 'b', 1)).toEqual(['b', 'c'])
  })

  it('refuses what is too far ahead and takes it later', () => {
    const sequence = new UpstreamSequence<string>(LIMITS)
    expect(sequence.accept(9, 'i', 1)).toEqual([])
    expect(sequence.accept(10, 'j', 1)).toBe('too_far')
    sequence.accept(1, 'a', 1)
    expect(sequence.accept(10, 'j', 1)).toEqual([])
  })

  it('refuses to hold more bytes than its limit, and has the room back when they are given', () => {
    const sequence = new UpstreamSequence<string>(LIMITS)
    expect(sequence.accept(2, 'b', 60)).toEqual([])
    expect(sequence.accept(3, 'c', 41)).toBe('too_far')
    expect(sequence.accept(1, 'a', 1_000)).toEqual(['a', 'b'])
    expect(sequence.accept(4, 'd', 100)).toEqual([])
  })

  it('gives every item once and in order, however requests overtake one another and are repeated', () => {
    const arrivals = fc
      .integer({ min: 1, max: 40 })
      .chain((count) => fc.array(fc.integer({ min: 1, max: count }), { maxLength: 200 }).map((noise) => ({ count, noise })))
    fc.assert(
      fc.property(arrivals, ({ count, noise }) => {
        const sequence = new UpstreamSequence<number>(LIMITS)
        const given: number[] = []
        // Every number arrives at random, and at last all of them once more, as a client repeats what was not taken.
        for (const seq of [...noise, ...Array.from({ length: count }, (_, i) => i + 1)]) {
          const before = given.length
          const ready = sequence.accept(seq, seq, 1)
          if (ready === 'too_far') expect(seq).toBeGreaterThan(before + 1 + LIMITS.maxHeld)
          else if (ready === 'duplicate') expect(noise).toContain(seq)
          else given.push(...ready)
        }
        expect(given).toEqual(Array.from({ length: count }, (_, i) => i + 1))
      }),
    )
  })
})
