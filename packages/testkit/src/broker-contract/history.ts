import type { Broker } from '@fusewire/engine'
import { jsonSize } from '@fusewire/protocol'
import { describe, expect, it } from 'vitest'
import { type CurrentBroker, KEPT, offsets } from './broker-trial.ts'

/** Of publications whose end a test waits for. */
const HISTORY_TTL_MS = 1_000

/** What is kept, for how long, and what it says to whoever has missed something. */
export const historyTests = (current: CurrentBroker): void => {
  describe('history', () => {
    it('keeps the newest publications up to its size', async () => {
      const { publishMany, read } = current()
      await publishMany('a', 8)
      expect(offsets((await read('a')).publications)).toEqual([4, 5, 6, 7, 8])
    })

    it('keeps nothing with size 0, and then completes only the newest position', async () => {
      const { publishMany, read } = current()
      const { position } = await publishMany('a', 3, { historySize: 0 })
      expect(await read('a', position)).toEqual({ position, publications: [], complete: true })
      expect((await read('a', { ...position, offset: 2 })).complete).toBe(false)
    })

    it('keeps what fits into its bytes, the newest first', async () => {
      const { publish, read } = current()
      const historyBytes = 3 * jsonSize({ data: 'xxxxx' })
      for (let n = 0; n < 4; n++) await publish('a', 'xxxxx', { historyBytes })
      expect(offsets((await read('a')).publications)).toEqual([2, 3, 4])
      await publish('a', 'xxxxxx', { historyBytes })
      expect(offsets((await read('a')).publications)).toEqual([4, 5])
      const { position } = await publish('a', 'x'.repeat(historyBytes), { historyBytes })
      expect(await read('a', position)).toEqual({ position, publications: [], complete: true })
      expect((await read('a', { ...position, offset: 5 })).complete).toBe(false)
      expect(offsets((await read('a')).publications)).toEqual([])
    })

    it('counts tags and senders among its bytes', async () => {
      const { broker, read } = current()
      const draft = { data: 1, tags: { lang: 'cs' }, sender: { session: 's1' } }
      const options = { ...KEPT, historyBytes: 2 * jsonSize(draft) - 1 }
      for (let n = 0; n < 2; n++) await broker.publish('a', draft, options)
      expect(offsets((await read('a')).publications)).toEqual([2])
    })

    it('forgets publications after their time', async () => {
      const { subject, publish, publishMany, read } = current()
      const { position } = await publishMany('a', 2, { historyTtlMs: HISTORY_TTL_MS })
      await subject.pass(HISTORY_TTL_MS + 500)
      expect(await read('a', position)).toEqual({ position, publications: [], complete: true })
      expect((await read('a', { ...position, offset: 1 })).complete).toBe(false)
      expect((await publish('a', 'x')).position).toEqual({ ...position, offset: 3 })
      expect(offsets((await read('a', position)).publications)).toEqual([3])
    })

    it('answers limit with the oldest, and reversed with the newest first', async () => {
      const { broker, publishMany } = current()
      await publishMany('a', 5)
      const query = async (q: Parameters<Broker['history']>[1]) => offsets((await broker.history('a', q)).publications)
      expect(await query({ limit: 2 })).toEqual([1, 2])
      expect(await query({ limit: 2, reverse: true })).toEqual([5, 4])
      expect(await query({ reverse: true })).toEqual([5, 4, 3, 2, 1])
      expect(await query({ limit: 0 })).toEqual([])
      expect(await query({ limit: 100 })).toEqual([1, 2, 3, 4, 5])
    })

    it('tells the newest position, whatever was asked', async () => {
      const { broker, publishMany } = current()
      const { position } = await publishMany('a', 5)
      for (const query of [{}, { limit: 0 }, { limit: 1 }, { reverse: true }, { since: { ...position, offset: 2 } }])
        expect((await broker.history('a', query)).position).toEqual(position)
    })
  })

  describe('since', () => {
    it('gives exactly what follows the position', async () => {
      const { publishMany, read } = current()
      const { position } = await publishMany('a', 5)
      const page = await read('a', { ...position, offset: 3 })
      expect(page.complete).toBe(true)
      expect(offsets(page.publications)).toEqual([4, 5])
    })

    it('combines with limit and reverse', async () => {
      const { broker, publishMany } = current()
      const { position } = await publishMany('a', 5)
      const since = { ...position, offset: 2 }
      expect(offsets((await broker.history('a', { since, limit: 2 })).publications)).toEqual([3, 4])
      expect(offsets((await broker.history('a', { since, limit: 2, reverse: true })).publications)).toEqual([5, 4])
    })

    it('is complete up to the oldest publication that is kept, and not one further', async () => {
      const { publishMany, read } = current()
      const { position } = await publishMany('a', 8)
      expect((await read('a', { ...position, offset: 3 })).complete).toBe(true)
      expect((await read('a', { ...position, offset: 2 })).complete).toBe(false)
    })

    it('is not complete for another epoch', async () => {
      const { publishMany, read } = current()
      const { position } = await publishMany('a', 2)
      expect((await read('a', { epoch: `${position.epoch}x`, offset: 2 })).complete).toBe(false)
      expect((await read('untouched', { epoch: 'x', offset: 0 })).complete).toBe(false)
    })

    it('is not complete for a position ahead of the channel', async () => {
      const { publishMany, read } = current()
      const { position } = await publishMany('a', 2)
      expect((await read('a', { ...position, offset: 3 })).complete).toBe(false)
      const untouched = await read('untouched')
      expect((await read('untouched', { ...untouched.position, offset: 1 })).complete).toBe(false)
    })
  })

  describe('clearHistory', () => {
    it('forgets the publications and counts on', async () => {
      const { broker, publish, publishMany, read } = current()
      const { position } = await publishMany('a', 3)
      await broker.clearHistory('a')
      expect(await read('a', position)).toEqual({ position, publications: [], complete: true })
      expect((await read('a', { ...position, offset: 2 })).complete).toBe(false)
      expect((await publish('a', 'x')).position).toEqual({ ...position, offset: 4 })
      expect(offsets((await read('a', position)).publications)).toEqual([4])
    })

    it('takes a channel that has never been used', async () => {
      const { broker, read } = current()
      await broker.clearHistory('never')
      expect((await read('never')).position.offset).toBe(0)
    })
  })
}
