import type { Publication } from '@fusewire/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PublicationLog } from './publication-log.ts'

it('behaves like an array of the newest publications, whatever is appended, trimmed and cleared', () => {
  const operation = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), later: fc.nat(3), bytes: fc.nat(9) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('trim' as const), size: fc.nat(12), bytes: fc.nat(60), age: fc.nat(20) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const), offsets: fc.integer({ min: 1, max: 5 }) }) },
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), fc.integer({ min: -2, max: 90 }), (operations, since) => {
      const log = new PublicationLog()
      let model: (Publication & { bytes: number })[] = []
      const plain = (kept: typeof model): Publication[] => kept.map(({ bytes: _, ...publication }) => publication)
      const bytesOf = (kept: typeof model): number => kept.reduce((sum, { bytes }) => sum + bytes, 0)
      let [offset, time] = [0, 1000]
      for (const operation of operations) {
        if (operation.do === 'append') {
          time += operation.later
          const publication = { offset: ++offset, data: offset, time }
          log.append(publication, operation.bytes)
          model.push({ ...publication, bytes: operation.bytes })
        } else if (operation.do === 'trim') {
          log.trim(operation.size, operation.bytes, time - operation.age)
          model = model.slice(Math.max(0, model.length - operation.size)).filter((kept) => kept.time >= time - operation.age)
          while (bytesOf(model) > operation.bytes) model.shift()
        } else {
          // What is not kept leaves a gap in front of the log, never inside.
          log.clear()
          model = []
          offset += operation.offsets
        }
        expect(log.size).toBe(model.length)
        expect(log.oldest).toEqual(plain(model)[0])
        expect(log.bytes).toBe(bytesOf(model))
        expect(log.after(since)).toEqual(plain(model).filter((kept) => kept.offset > since))
      }
    }),
    { numRuns: 150 },
  )
})
