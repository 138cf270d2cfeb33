import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Backlog } from './backlog.ts'

it('gives everything once and in order, whichever items block again, and never while something blocks', () => {
  const arrivals = fc.array(fc.record({ blocks: fc.boolean(), unblocks: fc.boolean() }), { maxLength: 40 })
  fc.assert(
    fc.property(arrivals, (steps) => {
      const backlog = new Backlog<number>()
      const handled: number[] = []
      let isBusy = false
      const handle = (item: number): void => {
        expect(isBusy).toBe(false)
        handled.push(item)
        isBusy = steps[item]?.blocks ?? false
        if (isBusy) backlog.block()
      }
      const finish = (): void => {
        isBusy = false
        for (const item of backlog.unblock()) handle(item)
      }
      for (const [item, { unblocks }] of steps.entries()) {
        if (backlog.isBlocked) backlog.push(item)
        else handle(item)
        expect(backlog.isBlocked).toBe(isBusy)
        expect(backlog.size).toBe(item + 1 - handled.length)
        if (unblocks && isBusy) finish()
      }
      while (isBusy) finish()
      expect(handled).toEqual(steps.map((_, item) => item))
    }),
  )
})

it('gives nothing after it was cleared, not even what it was about to give', () => {
  const backlog = new Backlog<number>()
  backlog.block()
  for (const item of [1, 2]) backlog.push(item)
  backlog.clear()
  expect([...backlog.unblock()]).toEqual([])
})
