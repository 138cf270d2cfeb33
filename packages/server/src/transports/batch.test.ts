import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Batch } from './batch.ts'

const frame = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)

describe('Batch', () => {
  it('joins its frames in the order in which they were appended', () => {
    const batch = Batch.start().append(frame(1, 2)).append(frame(3)).append(frame(4, 5))
    expect(batch.byteLength).toBe(5)
    expect([...batch.bytes()]).toEqual([1, 2, 3, 4, 5])
  })

  it('is the same for everyone who was sent the same frames, and is joined once', () => {
    const start = Batch.start()
    const [a, b] = [frame(1), frame(2)]
    const one = start.append(a).append(b)
    const other = start.append(a).append(b)
    expect(other).toBe(one)
    expect(other.bytes()).toBe(one.bytes())
  })

  it('gives a single frame as it is', () => {
    const only = frame(1, 2, 3)
    expect(Batch.start().append(only).bytes()).toBe(only)
  })

  it('is empty at its start', () => {
    expect(Batch.start().bytes().byteLength).toBe(0)
  })

  it('shares only what is equal: any connections, sent any frames in any order, get their own bytes', () => {
    const frames = [frame(1), frame(2, 2), frame(), frame(3, 3, 3)]
    const sends = fc.array(fc.tuple(fc.nat(3), fc.nat(frames.length - 1)), { maxLength: 60 })
    fc.assert(
      fc.property(sends, (steps) => {
        const start = Batch.start()
        const batches = Array.from({ length: 4 }, () => start)
        const expected: number[][] = Array.from({ length: 4 }, () => [])
        for (const [connection, index] of steps) {
          const sent = frames[index] ?? frame()
          batches[connection] = (batches[connection] ?? start).append(sent)
          expected[connection]?.push(...sent)
        }
        expect(batches.map((batch) => [...batch.bytes()])).toEqual(expected)
        expect(batches.map((batch) => batch.byteLength)).toEqual(expected.map((bytes) => bytes.length))
      }),
    )
  })
})
