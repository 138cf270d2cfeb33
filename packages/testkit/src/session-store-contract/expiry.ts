import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { fullRecord, LONG_MS, sessionRecord } from './session-records.ts'
import type { CurrentStores } from './session-store-trial.ts'

/** The end of a TTL, and the lease with which a session is given out to be ended. */
export const expiryTests = (current: CurrentStores): void => {
  describe('the TTL', () => {
    it('ends, and one node is given the session to end', async () => {
      const { subject, a, b, shortMs, put, expired } = current()
      await a.put([fullRecord], shortMs)
      await put(a, 's1')
      expect(await b.expired(10, LONG_MS)).toEqual([])
      await subject.pass(shortMs)
      expect(await expired(b, ['full'])).toEqual([fullRecord])
      expect(await b.expired(10, LONG_MS)).toEqual([])
      expect(await a.expired(10, LONG_MS)).toEqual([])
      expect(await b.remove(['full'])).toEqual(['full'])
      expect(await b.expired(10, LONG_MS)).toEqual([])
      expect(await b.find('s1')).toEqual(sessionRecord('s1'))
    })

    it('hides a session from then on, also from the node that had it', async () => {
      const { a, b, put, refresh, lapse, expired } = current()
      await put(a, 's1')
      await lapse(a, 's1')
      await expired(b, ['s1'])
      for (const store of [a, b]) {
        expect(await store.find('s1')).toBeUndefined()
        expect(await store.take('s1', LONG_MS)).toBeUndefined()
      }
      expect(await put(a, 's1')).toEqual(['s1'])
      expect(await refresh(a, 's1')).toEqual({ lost: ['s1'], unknown: [] })
      expect(await a.remove(['s1'])).toEqual([])
    })

    it('gives a session out again that was not ended within the lease, and then to the newest alone', async () => {
      const { subject, a, b, shortMs, put, lapse, expired } = current()
      await put(a, 's1')
      await lapse(a, 's1')
      await expired(b, ['s1'], shortMs)
      await subject.pass(shortMs)
      expect(await expired(a, ['s1'])).toEqual([sessionRecord('s1')])
      expect(await b.remove(['s1'])).toEqual([])
      expect(await a.remove(['s1'])).toEqual(['s1'])
    })

    it('lets a node end what it was given after its lease, when nobody else was given it', async () => {
      const { subject, a, b, shortMs, put, lapse, expired } = current()
      await put(a, 's1')
      await lapse(a, 's1')
      await expired(b, ['s1'], shortMs)
      await subject.pass(shortMs)
      expect(await b.remove(['s1'])).toEqual(['s1'])
      expect(await a.expired(10, LONG_MS)).toEqual([])
    })

    it('begins anew with put, refresh and take', async () => {
      const { subject, a, b, shortMs, put, refresh, expired } = current()
      for (const id of ['s1', 's2', 's3', 's4']) await a.put([sessionRecord(id)], shortMs)
      await put(a, 's1')
      await refresh(a, 's2')
      await b.take('s3', LONG_MS)
      await subject.pass(shortMs)
      await expired(b, ['s4'])
      expect(await b.expired(10, LONG_MS)).toEqual([])
    })

    it('may have ended, and the session is still its node’s until it is given out', async () => {
      const { subject, a, b, shortMs, put, refresh, expired } = current()
      for (const id of ['s1', 's2', 's3', 's4']) await a.put([sessionRecord(id)], shortMs)
      await subject.pass(shortMs)
      expect(await a.find('s1')).toEqual(sessionRecord('s1'))
      expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: [] })
      expect(await put(a, 's2')).toEqual([])
      expect(await b.take('s3', LONG_MS)).toEqual(sessionRecord('s3'))
      await expired(b, ['s4'])
      expect(await b.expired(10, LONG_MS)).toEqual([])
    })

    it('may be taken back by the node that was given a session and finds it alive', async () => {
      const { a, b, put, refresh, lapse, expired } = current()
      await put(a, 's1', 's2')
      await lapse(a, 's1', 's2')
      await expired(a, ['s1', 's2'])
      expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: [] })
      expect(await put(a, 's2')).toEqual([])
      expect(await b.find('s1')).toEqual(sessionRecord('s1'))
      expect(await b.take('s2', LONG_MS)).toEqual(sessionRecord('s2'))
    })

    it('gives and leases nothing where nothing is asked for', async () => {
      const { a, b, put, lapse, expired } = current()
      await put(a, 's1')
      await lapse(a, 's1')
      expect(await b.expired(0, LONG_MS)).toEqual([])
      expect(await a.find('s1')).toEqual(sessionRecord('s1'))
      expect(await expired(a, ['s1'])).toEqual([sessionRecord('s1')])
    })

    it('gives out no more than was asked for, and hundreds to several nodes, each to one', async () => {
      const { a, b, put, lapse } = current()
      const ids = Array.from({ length: 300 }, (_, n) => `s${n}`)
      await put(a, ...ids)
      await lapse(a, ...ids)
      const given: string[] = []
      await eventually(async () => {
        const parts = await Promise.all([a.expired(40, LONG_MS), b.expired(40, LONG_MS), a.expired(40, LONG_MS)])
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(40)
        given.push(...parts.flat().map(({ id }) => id))
        expect(given.sort()).toEqual([...ids].sort())
      })
      const ended = await Promise.all([a.remove(ids), b.remove(ids)])
      expect(ended.flat().sort()).toEqual([...ids].sort())
    })
  })
}

/** Of a store that tells when something is due. */
export const dueTests = (current: CurrentStores): void => {
  it('tells every node when a TTL has ended', async () => {
    const { subject, a, b, due, shortMs, put, expired } = current()
    await subject.forget?.()
    await put(a, 's1')
    await a.put([sessionRecord('s2')], shortMs)
    await eventually(() => expect([due.a > 0, due.b > 0]).toEqual([true, true]), { timeoutMs: 20_000 })
    expect(await expired(b, ['s2'])).toEqual([sessionRecord('s2')])
  }, 30_000)
}
