import { describe, expect, it } from 'vitest'
import { fullRecord, LONG_MS, sessionRecord } from './session-records.ts'
import type { CurrentStores } from './session-store-trial.ts'

/** What is kept of sessions, and of how many at a time. */
export const keepingTests = (current: CurrentStores): void => {
  describe('keeping', () => {
    it('knows nothing to begin with', async () => {
      const { a, refresh } = current()
      expect(await a.find('s1')).toBeUndefined()
      expect(await a.take('s1', LONG_MS)).toBeUndefined()
      expect(await a.remove(['s1'])).toEqual([])
      expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: ['s1'] })
      expect(await a.expired(10, LONG_MS)).toEqual([])
    })

    it('gives every node what one has put, exactly', async () => {
      const { a, b } = current()
      expect(await a.put([fullRecord, sessionRecord('s1')], LONG_MS)).toEqual([])
      expect(await a.find('full')).toEqual(fullRecord)
      expect(await b.find('full')).toEqual(fullRecord)
      expect(await b.find('s1')).toEqual(sessionRecord('s1'))
    })

    it('keeps what was put last', async () => {
      const { a, b, put, refresh } = current()
      await put(a, 's1')
      const changed = sessionRecord('s1', {
        identity: { capabilities: [], channels: [] },
        subscriptions: [{ channel: 'news' }],
      })
      await a.put([changed], LONG_MS)
      expect(await b.find('s1')).toEqual(changed)
      expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: [] })
      expect(await b.find('s1')).toEqual(changed)
    })

    it('carries info of null, names like those of properties of objects, and a great deal of it', async () => {
      const { a, b } = current()
      const big = 'Ω'.repeat(100_000)
      const records = [
        sessionRecord('null', { identity: { info: null, capabilities: [], channels: [] } }),
        sessionRecord('__proto__', {
          identity: {
            user: '__proto__',
            info: JSON.parse('{"__proto__":{"a":1},"toString":null}'),
            capabilities: [],
            channels: [],
          },
          subscriptions: [{ channel: 'constructor', filter: { toString: 'x' } }],
        }),
        sessionRecord('hasOwnProperty'),
        sessionRecord('big', { subscriptions: [{ channel: 'news', member: { session: 'big', info: { big } } }] }),
        sessionRecord('odd "{}*:. \\ \u{1F680}\u0001'),
      ]
      await a.put(records, LONG_MS)
      for (const record of records) expect(await b.find(record.id)).toStrictEqual(record)
      expect(await b.find('toString')).toBeUndefined()
      expect(await a.remove(['toString', ...records.map(({ id }) => id)])).toEqual(records.map(({ id }) => id))
    })

    it('takes hundreds at a time, and none', async () => {
      const { a, b, put, refresh } = current()
      const ids = Array.from({ length: 700 }, (_, n) => `s${n}`)
      expect(await put(a, ...ids)).toEqual([])
      expect(await refresh(a, ...ids)).toEqual({ lost: [], unknown: [] })
      expect(new Set((await refresh(b, ...ids)).lost)).toEqual(new Set(ids))
      expect(new Set(await put(b, ...ids))).toEqual(new Set(ids))
      expect(await b.remove(ids)).toEqual([])
      expect(new Set(await a.remove(ids))).toEqual(new Set(ids))
      expect(await a.find('s699')).toBeUndefined()
      expect(await put(a)).toEqual([])
      expect(await refresh(a)).toEqual({ lost: [], unknown: [] })
      expect(await a.remove([])).toEqual([])
    })

    it('carries out calls for one session in their order, though nobody waits for them', async () => {
      const { a } = current()
      const first = sessionRecord('s1', { subscriptions: [{ channel: 'first' }] })
      const second = sessionRecord('s1', { subscriptions: [{ channel: 'second' }] })
      const answers = await Promise.all([
        a.put([first], LONG_MS),
        a.put([second], LONG_MS),
        a.find('s1'),
        a.remove(['s1']),
        a.put([first], LONG_MS),
        a.refresh(['s1'], LONG_MS),
        a.find('s1'),
      ])
      expect(answers).toEqual([[], [], second, ['s1'], [], { lost: [], unknown: [] }, first])
    })

    it('keeps the sessions of a node that closes its part', async () => {
      const { a, b, put } = current()
      await put(a, 's1')
      await a.close()
      expect(await b.take('s1', LONG_MS)).toEqual(sessionRecord('s1'))
    })
  })
}
