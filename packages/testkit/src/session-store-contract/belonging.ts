import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { fullRecord, LONG_MS, sessionRecord } from './session-records.ts'
import type { CurrentStores } from './session-store-trial.ts'

/** Which node has a session, and which of several gets or ends it. */
export const belongingTests = (current: CurrentStores): void => {
  describe('belonging', () => {
    it('refuses to another node to put, refresh or end a session', async () => {
      const { a, b, put, refresh } = current()
      await put(a, 's1')
      const other = sessionRecord('s1', { subscriptions: [{ channel: 'other' }] })
      expect(await b.put([other, sessionRecord('s2')], LONG_MS)).toEqual(['s1'])
      expect(await refresh(b, 's1', 's2', 's3')).toEqual({ lost: ['s1'], unknown: ['s3'] })
      expect(await b.remove(['s1'])).toEqual([])
      expect(await a.find('s1')).toEqual(sessionRecord('s1'))
      expect(await a.find('s2')).toEqual(sessionRecord('s2'))
    })

    it('gives a session to the node that takes it, and tells the one that had it', async () => {
      const { a, b, lost, refresh } = current()
      await a.put([fullRecord], LONG_MS)
      expect(await b.take('full', LONG_MS)).toEqual(fullRecord)
      await eventually(() => expect(lost).toEqual({ a: ['full'], b: [] }))
      expect(await a.put([fullRecord], LONG_MS)).toEqual(['full'])
      expect(await refresh(a, 'full')).toEqual({ lost: ['full'], unknown: [] })
      expect(await a.remove(['full'])).toEqual([])
      expect(await refresh(b, 'full')).toEqual({ lost: [], unknown: [] })
      expect(await b.put([fullRecord], LONG_MS)).toEqual([])
    })

    it('gives a session to the node that has it already, and tells nobody', async () => {
      const { a, b, lost, put, refresh } = current()
      await put(a, 's1')
      expect(await a.take('s1', LONG_MS)).toEqual(sessionRecord('s1'))
      expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: [] })
      await a.put([sessionRecord('s2')], LONG_MS)
      await b.take('s2', LONG_MS)
      await eventually(() => expect(lost).toEqual({ a: ['s2'], b: [] }))
    })

    it('gives a session back and forth', async () => {
      const { a, b, lost, put, refresh } = current()
      await put(a, 's1')
      await b.take('s1', LONG_MS)
      expect(await a.take('s1', LONG_MS)).toEqual(sessionRecord('s1'))
      await eventually(() => expect(lost).toEqual({ a: ['s1'], b: ['s1'] }))
      expect(await refresh(b, 's1')).toEqual({ lost: ['s1'], unknown: [] })
      expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: [] })
    })

    it('belongs to one node, however many take it at once', async () => {
      const { subject, a, b, open, put, refresh } = current()
      const ids = Array.from({ length: 20 }, (_, n) => `s${n}`)
      await put(a, ...ids)
      const stores = [a, b, await open(await subject.another('c'))]
      const taken = await Promise.all(ids.flatMap((id) => stores.map((store) => store.take(id, LONG_MS))))
      expect(taken.every((record) => record !== undefined)).toBe(true)
      const kept = await Promise.all(stores.map((store) => refresh(store, ...ids)))
      const owners = ids.map((id) => kept.filter(({ lost }) => !lost.includes(id)).length)
      expect(owners).toEqual(ids.map(() => 1))
    })

    it('is either taken or ended, when both are tried at once', async () => {
      const { a, b, put } = current()
      for (let n = 0; n < 20; n++) {
        const id = `s${n}`
        await put(a, id)
        const [record, ended] = await Promise.all(
          n % 2 === 0 ? [b.take(id, LONG_MS), a.remove([id])] : [a.remove([id]), b.take(id, LONG_MS)].reverse(),
        )
        expect([record === undefined, ended]).toEqual(record === undefined ? [true, [id]] : [false, []])
      }
    })

    it('is ended once, however often that is tried at once', async () => {
      const { a, b, put } = current()
      await put(a, 's1', 's2')
      const ended = await Promise.all([a.remove(['s1', 's2']), a.remove(['s2', 's1']), b.remove(['s1']), a.remove(['s1'])])
      expect(ended.flat().sort()).toEqual(['s1', 's2'])
    })
  })

  describe('the end', () => {
    it('may be put again by the only node that ever had it', async () => {
      const { a, put, refresh } = current()
      await put(a, 's1')
      await a.remove(['s1'])
      expect(await a.find('s1')).toBeUndefined()
      expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: ['s1'] })
      expect(await put(a, 's1')).toEqual([])
    })

    it('leaves a trace where another node had it, so that its former node does not put it again', async () => {
      const { a, b, put, refresh } = current()
      await put(a, 's1', 's2')
      await b.take('s1', LONG_MS)
      expect(await b.remove(['s1'])).toEqual(['s1'])
      expect(await put(a, 's1', 's2')).toEqual(['s1'])
      expect(await refresh(a, 's1', 's2')).toEqual({ lost: ['s1'], unknown: [] })
      expect(await b.find('s1')).toBeUndefined()
      expect(await a.take('s1', LONG_MS)).toBeUndefined()
      expect(await a.remove(['s1'])).toEqual([])
    })

    it('leaves a trace where a node ended it in place of its own', async () => {
      const { a, b, put, refresh, lapse, expired } = current()
      await put(a, 's1')
      await lapse(a, 's1')
      await expired(b, ['s1'])
      expect(await b.remove(['s1'])).toEqual(['s1'])
      expect(await put(a, 's1')).toEqual(['s1'])
      expect(await refresh(a, 's1')).toEqual({ lost: ['s1'], unknown: [] })
    })
  })
}

/** With traces whose end a test can wait for. */
export const endOfTracesTests = (current: CurrentStores): void => {
  it('and forgets them in the end', async () => {
    const { subject, a, b, put } = current()
    await put(a, 's1')
    await b.take('s1', LONG_MS)
    await b.remove(['s1'])
    await subject.pass(subject.traceMs)
    await eventually(async () => expect(await put(a, 's1')).toEqual([]))
  })
}
