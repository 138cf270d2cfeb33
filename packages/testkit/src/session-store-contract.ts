import type { Awaitable, SessionRecord, SessionStore } from '@fusewire/engine'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { sessionStoreModelProperty } from './session-store-model.ts'

/** A session store to be tested, with nothing in it. */
export interface SessionStoreUnderTest {
  /** That of node `a`. */
  readonly store: SessionStore
  /** That of another node, over the same sessions. It is started and closed by the suite. */
  readonly another: (node: string) => Awaitable<SessionStore>
  /** Lets at least this many milliseconds pass for the store. */
  readonly pass: (ms: number) => Awaitable<void>
  /** How long a trace is kept, in milliseconds, where it is so short that a test can wait for its end. */
  readonly traceMs?: number
  /** Drops everything in the store, as one that was restarted empty; absent where that cannot be. */
  readonly forget?: () => Awaitable<void>
}

export interface SessionStoreContractOptions {
  /** Random histories that are compared with a model. Default 200; fewer where each operation takes a network's time. */
  readonly runs?: number
  /** A TTL and a lease that a test may wait for, in milliseconds. Default 500. */
  readonly shortMs?: number
}

/** Longer than any test. */
const LONG_MS = 600_000

/** A session as a node would keep it. */
export const sessionRecord = (id: string, changes: Partial<SessionRecord> = {}): SessionRecord => ({
  id,
  resumeToken: `${id}.secret`,
  identity: { user: 'ada', capabilities: [], channels: [] },
  client: { transport: 'websocket', remoteAddress: '127.0.0.1' },
  subscriptions: [],
  ...changes,
})

const fullRecord = sessionRecord('full', {
  identity: {
    user: 'ada:λ✓',
    info: { name: 'Ada "the first"\n', tags: ['x', null, 1.5, true], deep: { __proto__x: {} } },
    expiresAt: 1_900_000_000_123,
    tokenId: 't1',
    issuedAt: 1_800_000_000_000,
    capabilities: [{ channels: ['chat:**', 'room:*'], allow: ['publish', 'history'] }],
    channels: ['news'],
    needsUser: true,
  },
  client: { transport: 'poll', remoteAddress: '2001:db8::1', name: 'fusewire-js', version: '0.1.0' },
  subscriptions: [
    {
      channel: 'room:1',
      filter: { tag: 'x' },
      wantsPresence: true,
      member: { session: 'full', user: 'ada:λ✓', info: [] },
      grant: { channel: 'room:1', user: 'ada:λ✓', tokenId: 't2', expiresAt: 1_900_000_000_000, info: { role: 'owner' } },
    },
    { channel: 'news' },
  ],
})

/** What every {@link SessionStore} must do, as a suite of tests. `make` is called before each test. */
export const sessionStoreContract = (
  name: string,
  make: () => Awaitable<SessionStoreUnderTest>,
  { runs = 200, shortMs = 500 }: SessionStoreContractOptions = {},
): void => {
  describe(`${name} is a SessionStore`, () => {
    let subject: SessionStoreUnderTest
    let a: SessionStore
    let b: SessionStore
    /** By node. */
    let lost: Record<'a' | 'b', string[]>
    const opened: SessionStore[] = []

    const open = async (store: SessionStore, heard: string[] = []): Promise<SessionStore> => {
      opened.push(store)
      await store.start({ lost: (session) => heard.push(session) })
      return store
    }
    const put = async (store: SessionStore, ...ids: string[]): Promise<readonly string[]> =>
      store.put(
        ids.map((id) => sessionRecord(id)),
        LONG_MS,
      )
    const refresh = async (store: SessionStore, ...ids: string[]) => store.refresh(ids, LONG_MS)
    const lapse = async (store: SessionStore, ...ids: string[]): Promise<void> => {
      await store.refresh(ids, shortMs)
      await subject.pass(shortMs)
    }
    /** Gathers what is given out until all of these have been. */
    const expired = async (store: SessionStore, ids: readonly string[], leaseMs = LONG_MS): Promise<SessionRecord[]> => {
      const given: SessionRecord[] = []
      await eventually(async () => {
        given.push(...(await store.expired(1000, leaseMs)))
        expect(given.map(({ id }) => id).sort()).toEqual([...ids].sort())
      })
      return given
    }

    beforeEach(async () => {
      subject = await make()
      lost = { a: [], b: [] }
      a = await open(subject.store, lost.a)
      b = await open(await subject.another('b'), lost.b)
    })

    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    describe('keeping', () => {
      it('knows nothing to begin with', async () => {
        expect(await a.find('s1')).toBeUndefined()
        expect(await a.take('s1', LONG_MS)).toBeUndefined()
        expect(await a.remove(['s1'])).toEqual([])
        expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: ['s1'] })
        expect(await a.expired(10, LONG_MS)).toEqual([])
      })

      it('gives every node what one has put, exactly', async () => {
        expect(await a.put([fullRecord, sessionRecord('s1')], LONG_MS)).toEqual([])
        expect(await a.find('full')).toEqual(fullRecord)
        expect(await b.find('full')).toEqual(fullRecord)
        expect(await b.find('s1')).toEqual(sessionRecord('s1'))
      })

      it('keeps what was put last', async () => {
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
        await put(a, 's1')
        await a.close()
        expect(await b.take('s1', LONG_MS)).toEqual(sessionRecord('s1'))
      })
    })

    describe('belonging', () => {
      it('refuses to another node to put, refresh or end a session', async () => {
        await put(a, 's1')
        const other = sessionRecord('s1', { subscriptions: [{ channel: 'other' }] })
        expect(await b.put([other, sessionRecord('s2')], LONG_MS)).toEqual(['s1'])
        expect(await refresh(b, 's1', 's2', 's3')).toEqual({ lost: ['s1'], unknown: ['s3'] })
        expect(await b.remove(['s1'])).toEqual([])
        expect(await a.find('s1')).toEqual(sessionRecord('s1'))
        expect(await a.find('s2')).toEqual(sessionRecord('s2'))
      })

      it('gives a session to the node that takes it, and tells the one that had it', async () => {
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
        await put(a, 's1')
        expect(await a.take('s1', LONG_MS)).toEqual(sessionRecord('s1'))
        expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: [] })
        await a.put([sessionRecord('s2')], LONG_MS)
        await b.take('s2', LONG_MS)
        await eventually(() => expect(lost).toEqual({ a: ['s2'], b: [] }))
      })

      it('gives a session back and forth', async () => {
        await put(a, 's1')
        await b.take('s1', LONG_MS)
        expect(await a.take('s1', LONG_MS)).toEqual(sessionRecord('s1'))
        await eventually(() => expect(lost).toEqual({ a: ['s1'], b: ['s1'] }))
        expect(await refresh(b, 's1')).toEqual({ lost: ['s1'], unknown: [] })
        expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: [] })
      })

      it('belongs to one node, however many take it at once', async () => {
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
        await put(a, 's1', 's2')
        const ended = await Promise.all([a.remove(['s1', 's2']), a.remove(['s2', 's1']), b.remove(['s1']), a.remove(['s1'])])
        expect(ended.flat().sort()).toEqual(['s1', 's2'])
      })
    })

    describe('the end', () => {
      it('may be put again by the only node that ever had it', async () => {
        await put(a, 's1')
        await a.remove(['s1'])
        expect(await a.find('s1')).toBeUndefined()
        expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: ['s1'] })
        expect(await put(a, 's1')).toEqual([])
      })

      it('leaves a trace where another node had it, so that its former node does not put it again', async () => {
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
        await put(a, 's1')
        await lapse(a, 's1')
        await expired(b, ['s1'])
        expect(await b.remove(['s1'])).toEqual(['s1'])
        expect(await put(a, 's1')).toEqual(['s1'])
        expect(await refresh(a, 's1')).toEqual({ lost: ['s1'], unknown: [] })
      })

      it('forgets the trace in the end', async ({ skip }) => {
        const { traceMs } = subject
        if (traceMs === undefined) return skip('the trace is kept for longer than a test can wait')
        await put(a, 's1')
        await b.take('s1', LONG_MS)
        await b.remove(['s1'])
        await subject.pass(traceMs)
        await eventually(async () => expect(await put(a, 's1')).toEqual([]))
      })
    })

    describe('the TTL', () => {
      it('ends, and one node is given the session to end', async () => {
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
        await put(a, 's1')
        await lapse(a, 's1')
        await expired(b, ['s1'], shortMs)
        await subject.pass(shortMs)
        expect(await expired(a, ['s1'])).toEqual([sessionRecord('s1')])
        expect(await b.remove(['s1'])).toEqual([])
        expect(await a.remove(['s1'])).toEqual(['s1'])
      })

      it('lets a node end what it was given after its lease, when nobody else was given it', async () => {
        await put(a, 's1')
        await lapse(a, 's1')
        await expired(b, ['s1'], shortMs)
        await subject.pass(shortMs)
        expect(await b.remove(['s1'])).toEqual(['s1'])
        expect(await a.expired(10, LONG_MS)).toEqual([])
      })

      it('begins anew with put, refresh and take', async () => {
        for (const id of ['s1', 's2', 's3', 's4']) await a.put([sessionRecord(id)], shortMs)
        await put(a, 's1')
        await refresh(a, 's2')
        await b.take('s3', LONG_MS)
        await subject.pass(shortMs)
        await expired(b, ['s4'])
        expect(await b.expired(10, LONG_MS)).toEqual([])
      })

      it('may have ended, and the session is still its node’s until it is given out', async () => {
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
        await put(a, 's1', 's2')
        await lapse(a, 's1', 's2')
        await expired(a, ['s1', 's2'])
        expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: [] })
        expect(await put(a, 's2')).toEqual([])
        expect(await b.find('s1')).toEqual(sessionRecord('s1'))
        expect(await b.take('s2', LONG_MS)).toEqual(sessionRecord('s2'))
      })

      it('gives out no more than was asked for, and hundreds to several nodes, each to one', async () => {
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

    describe('a store that has lost everything', () => {
      it('knows nothing, and takes back what its nodes put', async ({ skip }) => {
        const { forget } = subject
        if (!forget) return skip('it cannot be emptied')
        await put(a, 's1', 's2')
        await b.take('s2', LONG_MS)
        await eventually(() => expect(lost.a).toEqual(['s2']))
        await forget()
        await eventually(async () => expect(await b.find('s1')).toBeUndefined())
        expect(await refresh(a, 's1')).toEqual({ lost: [], unknown: ['s1'] })
        expect(await put(a, 's1')).toEqual([])
        expect(await put(b, 's2')).toEqual([])
        expect(await put(a, 's2')).toEqual(['s2'])
        expect(await b.take('s1', LONG_MS)).toEqual(sessionRecord('s1'))
        await eventually(() => expect(lost.a).toEqual(['s2', 's1']))
      })
    })

    it('is what a simple model of three nodes is, whatever they do', async () => {
      const c = await open(await subject.another('c'))
      await fc.assert(sessionStoreModelProperty([a, b, c], { pass: subject.pass, shortMs }), { numRuns: runs })
    }, 300_000)
  })
}
