import { describe, expect, it } from 'vitest'
import { type CurrentBroker, conflict, offsets } from './broker-trial.ts'

/** Publications that happen only under a condition: `ifPosition`, and idempotency keys. */
export const conditionTests = (current: CurrentBroker): void => {
  describe('ifPosition', () => {
    it('lets through what follows the newest position, before the first publication too', async () => {
      const { publish, read } = current()
      const { position } = await read('a')
      const first = await publish('a', 'x', { ifPosition: position })
      expect(first.position.offset).toBe(1)
      expect((await publish('a', 'y', { ifPosition: first.position })).position.offset).toBe(2)
    })

    it('refuses any other with the newest position, and publishes nothing', async () => {
      const { broker, heard, publish, publishMany, read } = current()
      await broker.subscribe('a')
      const { position } = await publishMany('a', 2)
      const others = [
        { ...position, offset: 1 },
        { ...position, offset: 3 },
        { epoch: 'x', offset: 2 },
      ]
      for (const ifPosition of others) expect(await conflict(publish('a', 'x', { ifPosition }))).toEqual({ position })
      expect(offsets(heard)).toEqual([1, 2])
      expect(offsets((await read('a')).publications)).toEqual([1, 2])
      expect((await publish('a', 'x')).position).toEqual({ ...position, offset: 3 })
    })

    it('lets one of several publishers at the same moment through', async () => {
      const { publish, read } = current()
      const { position } = await publish('a', 0)
      const tries = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => publish('a', n, { ifPosition: position })))
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect((await read('a')).position.offset).toBe(2)
    })

    it('comes after the idempotency key: a repetition gets the first answer, and a conflict uses no key up', async () => {
      const { publish, read } = current()
      const { position } = await read('a')
      const options = { ifPosition: position, idempotencyKey: 'k' }
      const first = await publish('a', 'x', options)
      expect(await publish('a', 'x', options)).toEqual({ position: first.position, duplicate: true })
      await conflict(publish('a', 'y', { ifPosition: position, idempotencyKey: 'other' }))
      expect((await publish('a', 'y', { idempotencyKey: 'other' })).duplicate).toBe(false)
    })
  })

  describe('idempotency keys', () => {
    it('make a repetition answer with the first position and change nothing', async () => {
      const { broker, heard, publish, read } = current()
      await broker.subscribe('a')
      const first = await publish('a', 'x', { idempotencyKey: 'k' })
      const other = await publish('a', 'y')
      const second = await publish('a', 'z', { idempotencyKey: 'k' })
      expect(first.duplicate).toBe(false)
      expect(second).toEqual({ position: first.position, duplicate: true })
      expect(heard.map(({ data }) => data)).toEqual(['x', 'y'])
      expect((await read('a')).position).toEqual(other.position)
    })

    it('belong to one channel', async () => {
      const { publish } = current()
      await publish('a', 'x', { idempotencyKey: 'k' })
      expect((await publish('b', 'x', { idempotencyKey: 'k' })).duplicate).toBe(false)
      await publish('c', 'x', { idempotencyKey: 'd:k' })
      expect((await publish('c:d', 'x', { idempotencyKey: 'k' })).duplicate).toBe(false)
    })

    it('let one of several publishers at the same moment through', async () => {
      const { publish, read } = current()
      const published = await Promise.all(Array.from({ length: 10 }, (_, i) => publish('a', i, { idempotencyKey: 'k' })))
      expect(published.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
      expect((await read('a')).publications).toHaveLength(1)
    })

    it('hold when nothing is kept, or when it was cleared', async () => {
      const { broker, publish } = current()
      await publish('a', 'x', { idempotencyKey: 'k', historySize: 0 })
      await broker.clearHistory('a')
      expect((await publish('a', 'x', { idempotencyKey: 'k', historySize: 0 })).duplicate).toBe(true)
    })

    it('are forgotten after the window', async () => {
      const { subject, publish } = current()
      await publish('a', 'x', { idempotencyKey: 'k' })
      await subject.pass(subject.idempotencyTtlMs + 500)
      expect((await publish('a', 'x', { idempotencyKey: 'k' })).duplicate).toBe(false)
    })
  })
}
