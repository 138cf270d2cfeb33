import { describe, expect, it } from 'vitest'
import { type CurrentBroker, offsets } from './broker-trial.ts'

/** Offsets and epochs. */
export const positionTests = (current: CurrentBroker): void => {
  describe('positions', () => {
    it('gives the first publication offset 1, and each later one the next', async () => {
      const { publish } = current()
      const published = [await publish('a', 'x'), await publish('a', 'y'), await publish('a', 'z')]
      expect(published.map(({ position }) => position.offset)).toEqual([1, 2, 3])
      expect(new Set(published.map(({ position }) => position.epoch)).size).toBe(1)
    })

    it('counts each channel by itself', async () => {
      const { publish, publishMany } = current()
      await publishMany('a', 3)
      expect((await publish('b', 'x')).position.offset).toBe(1)
    })

    it('counts on when nothing is kept', async () => {
      const { publish, publishMany } = current()
      await publishMany('a', 3, { historySize: 0 })
      expect((await publish('a', 'x')).position.offset).toBe(4)
    })

    it('gives publishers at the same moment different offsets without a gap', async () => {
      const { broker, heard, publish } = current()
      await broker.subscribe('a')
      const published = await Promise.all(Array.from({ length: 50 }, (_, i) => publish('a', i)))
      const expected = Array.from({ length: 50 }, (_, i) => i + 1)
      expect(published.map(({ position }) => position.offset).sort((a, b) => a - b)).toEqual(expected)
      expect(offsets(heard)).toEqual(expected)
    })

    it('has a position before the first publication, from which everything follows', async () => {
      const { publishMany, read } = current()
      const { position, publications } = await read('a')
      expect(position.offset).toBe(0)
      expect(publications).toEqual([])
      await publishMany('a', 2)
      const page = await read('a', position)
      expect(page.complete).toBe(true)
      expect(offsets(page.publications)).toEqual([1, 2])
      expect(page.position).toEqual({ epoch: position.epoch, offset: 2 })
    })

    it('tells epochs that a client may send back', async () => {
      const { publish } = current()
      const { epoch } = (await publish('a', 'x')).position
      expect(epoch.length).toBeGreaterThan(0)
      expect(epoch.length).toBeLessThanOrEqual(64)
    })
  })
}
