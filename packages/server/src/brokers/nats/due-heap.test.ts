import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DueHeap } from './due-heap.ts'

it('gives what is due, the earliest first, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(50), (moments, now) => {
      const heap = new DueHeap<{ dueAt: number }>()
      for (const dueAt of moments) heap.push({ dueAt })
      const given: number[] = []
      for (let item = heap.pop(now); item; item = heap.pop(now)) given.push(item.dueAt)
      expect(given).toEqual(moments.filter((moment) => moment <= now).sort((a, b) => a - b))
      expect(heap.size).toBe(moments.length - given.length)
    }),
  )
})
