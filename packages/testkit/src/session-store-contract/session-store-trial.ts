import type { Awaitable, RefreshResult, SessionRecord, SessionStore, SessionStoreListener } from '@fusewire/engine'
import { afterEach, beforeEach, expect } from 'vitest'
import { eventually } from '../eventually.ts'
import { LONG_MS, sessionRecord } from './session-records.ts'

/** A session store to be tested, with nothing in it. */
export interface SessionStoreUnderTest {
  /** That of node `a`. */
  readonly store: SessionStore
  /** That of another node, over the same sessions. It is started and closed by the suite. */
  readonly another: (node: string) => Awaitable<SessionStore>
  /** Lets at least this many milliseconds pass for the store. */
  readonly pass: (ms: number) => Awaitable<void>
  /** How long it keeps a trace, in milliseconds. */
  readonly traceMs: number
  /** Drops everything in the store, as one that was restarted empty; absent where that cannot be. */
  readonly forget?: () => Awaitable<void>
}

/** The stores of two nodes over the same sessions, in the course of a test. */
export interface SessionStoreTrial {
  readonly subject: SessionStoreUnderTest
  readonly a: SessionStore
  readonly b: SessionStore
  /** What each was told to have lost. */
  readonly lost: { readonly a: readonly string[]; readonly b: readonly string[] }
  /** How often each was told that something is due. */
  readonly due: { readonly a: number; readonly b: number }
  /** A TTL and a lease that a test may wait for, in milliseconds. */
  readonly shortMs: number
  /** Starts the store of one more node. */
  readonly open: (store: SessionStore) => Promise<SessionStore>
  readonly put: (store: SessionStore, ...ids: string[]) => Promise<readonly string[]>
  readonly refresh: (store: SessionStore, ...ids: string[]) => Promise<RefreshResult>
  /** Lets the TTLs of these end. */
  readonly lapse: (store: SessionStore, ...ids: string[]) => Promise<void>
  /** Gathers what is given out until all of these have been. */
  readonly expired: (store: SessionStore, ids: readonly string[], leaseMs?: number) => Promise<SessionRecord[]>
}

export interface SessionStoreOptions {
  /** How long a trace is to be kept, in milliseconds. A store whose time is not real may keep it for longer. */
  readonly traceMs: number
}

/** Makes a store with nothing in it, before each test. */
export type MakeSessionStore = (options: SessionStoreOptions) => Awaitable<SessionStoreUnderTest>

/** That of the test that is running. */
export type CurrentStores = () => SessionStoreTrial

/** Has each test of the suite around begin with stores of its own, whose traces outlast it unless told otherwise. */
export const sessionStoreTrials = (make: MakeSessionStore, shortMs: number, traceMs = LONG_MS): CurrentStores => {
  let trial: SessionStoreTrial | undefined
  const opened: SessionStore[] = []

  const start = async (store: SessionStore, listener: Partial<SessionStoreListener> = {}): Promise<SessionStore> => {
    opened.push(store)
    await store.start({ lost: () => undefined, due: () => undefined, ...listener })
    return store
  }
  const expired: SessionStoreTrial['expired'] = async (store, ids, leaseMs = LONG_MS) => {
    const given: SessionRecord[] = []
    await eventually(async () => {
      given.push(...(await store.expired(1000, leaseMs)))
      expect(given.map(({ id }) => id).sort()).toEqual([...ids].sort())
    })
    return given
  }

  beforeEach(async () => {
    const subject = await make({ traceMs })
    const lost = { a: [] as string[], b: [] as string[] }
    const due = { a: 0, b: 0 }
    const listenerOf = (node: 'a' | 'b'): SessionStoreListener => ({
      lost: (session) => lost[node].push(session),
      due: () => due[node]++,
    })
    trial = {
      subject,
      a: await start(subject.store, listenerOf('a')),
      b: await start(await subject.another('b'), listenerOf('b')),
      lost,
      due,
      shortMs,
      open: (store) => start(store),
      put: async (store, ...ids) =>
        store.put(
          ids.map((id) => sessionRecord(id)),
          LONG_MS,
        ),
      refresh: async (store, ...ids) => store.refresh(ids, LONG_MS),
      lapse: async (store, ...ids) => {
        await store.refresh(ids, shortMs)
        await subject.pass(shortMs)
      },
      expired,
    }
  })
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    trial = undefined
  })

  return () => {
    if (!trial) throw new Error('outside of a test')
    return trial
  }
}
