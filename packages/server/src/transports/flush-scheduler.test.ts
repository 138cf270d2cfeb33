import { describe, expect, it } from 'vitest'
import { FlushScheduler } from './flush-scheduler.ts'

/** A scheduler whose turns end when told. */
const manual = () => {
  const deferred: (() => void)[] = []
  const scheduler = new FlushScheduler((run) => deferred.push(run))
  return {
    scheduler,
    deferred,
    endTurn: () => {
      for (const run of deferred.splice(0)) run()
    },
  }
}

describe('FlushScheduler', () => {
  it('flushes everything of a turn by one callback, in the order in which it came', () => {
    const { scheduler, deferred, endTurn } = manual()
    const flushed: number[] = []
    for (const n of [1, 2, 3]) scheduler.add({ flush: () => flushed.push(n) })
    expect(deferred).toHaveLength(1)
    expect(flushed).toEqual([])
    endTurn()
    expect(flushed).toEqual([1, 2, 3])
  })

  it('leaves what is added while it flushes to the next turn', () => {
    const { scheduler, endTurn } = manual()
    let flushes = 0
    const again = {
      flush: () => {
        if (++flushes === 1) scheduler.add(again)
      },
    }
    scheduler.add(again)
    endTurn()
    expect(flushes).toBe(1)
    endTurn()
    expect(flushes).toBe(2)
  })

  it('gives the batches of one turn a common beginning, and those of the next another', () => {
    const { scheduler, endTurn } = manual()
    const frame = Buffer.from('a')
    const batch = scheduler.start.append(frame)
    scheduler.add({ flush: () => {} })
    expect(scheduler.start.append(frame)).toBe(batch)
    endTurn()
    expect(scheduler.start.append(frame)).not.toBe(batch)
  })

  it('runs after the input of the turn has been handled', async () => {
    const order: string[] = []
    new FlushScheduler().add({ flush: () => order.push('flush') })
    process.nextTick(() => order.push('tick'))
    await Promise.resolve().then(() => order.push('promise'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(order).toHaveLength(3)
    expect(order.at(-1)).toBe('flush')
  })
})
