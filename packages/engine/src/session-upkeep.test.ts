import { FusewireError } from '@fusewire/protocol'
import { FakeEnvironment, memoryFormat, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Attendance } from './attendance.ts'
import type { Connection } from './ports/connection.ts'
import type { SessionRecord, SessionStore } from './ports/session-store.ts'
import { Session, type SessionLink } from './session.ts'
import { SessionUpkeep } from './session-upkeep.ts'
import { Counters } from './stats.ts'
import { StoreWatch } from './store-watch.ts'

const TTL_MS = 60_000
const REFRESH_MS = 20_000
const away = new FusewireError('broker_unavailable')

type Answer = { readonly lost?: readonly string[]; readonly unknown?: readonly string[] }

let environment: FakeEnvironment
/** What the store has been told, by the ids of the sessions. */
let calls: string[]
/** What it answers. */
let answer: (ids: readonly string[]) => Answer | Promise<Answer>
let present: string[][]
let lost: string[]
let logged: unknown[]
let upkeep: SessionUpkeep

beforeEach(() => {
  environment = new FakeEnvironment()
  byId.clear()
  calls = []
  answer = () => ({})
  present = []
  lost = []
  logged = []
  const store: Pick<SessionStore, 'put' | 'refresh'> = {
    put: async (records: readonly SessionRecord[], ttlMs) => {
      const ids = records.map(({ id }) => id)
      calls.push(`put ${ids} ${ttlMs}`)
      return (await answer(ids)).lost ?? []
    },
    refresh: async (ids, ttlMs) => {
      calls.push(`refresh ${ids} ${ttlMs}`)
      return { lost: [], unknown: [], ...(await answer(ids)) }
    },
  }
  const attendance: Pick<Attendance, 'refresh'> = {
    refresh: async (sessions) => {
      present.push([...sessions].map(({ id }) => id))
    },
  }
  const now = () => environment.now()
  upkeep = new SessionUpkeep({
    now,
    store: store as SessionStore,
    watch: new StoreWatch({ now, counters: new Counters(), log: () => undefined }),
    attendance: attendance as Attendance,
    ttlMs: TTL_MS,
    refreshMs: REFRESH_MS,
    onLost: async (ids) => {
      for (const id of ids) {
        lost.push(id)
        upkeep.forget(byId.get(id) as Session)
      }
    },
    log: (event, details) => logged.push([event, details.session]),
  })
})

const byId = new Map<string, Session>()
const session = (id: string): Session => {
  const connection: Connection = {
    transport: 'tcp',
    remoteAddress: '',
    format: memoryFormat(),
    send: () => undefined,
    close: () => undefined,
  }
  const link: SessionLink = { connection, send: () => undefined, end: () => undefined, refreshed: () => undefined }
  const made = new Session(id, id, { capabilities: [], channels: [] }, link, connection)
  byId.set(id, made)
  return made
}

/** The calls since the last look. */
const told = (): string[] => calls.splice(0)

/** Sessions of which the store has been told now. */
const known = async (...ids: readonly string[]): Promise<Session[]> => {
  const sessions = ids.map(session)
  for (const one of sessions) upkeep.changed(one)
  await upkeep.tick()
  told()
  return sessions
}

/** Whether it has settled. */
const watched = (promise: unknown): (() => boolean) => {
  let isSettled = !(promise instanceof Promise)
  if (promise instanceof Promise)
    void promise.then(() => {
      isSettled = true
    })
  return () => isSettled
}

describe('what has changed', () => {
  it('is told with the next tick, together, as it is then, and once', async () => {
    for (const id of ['a', 'b']) upkeep.changed(session(id))
    upkeep.changed(byId.get('a') as Session)
    expect(told()).toEqual([])
    await upkeep.tick()
    await upkeep.tick()
    expect(told()).toEqual([`put a,b ${TTL_MS}`])
    expect([...byId.values()].map((one) => upkeep.isKnown(one))).toEqual([true, true])
  })

  it('is told at once where somebody waits for it, and hurried where it has not been told', async () => {
    const [a] = await known('a')
    upkeep.hurry(a as Session)
    await turn()
    expect(told()).toEqual([])
    upkeep.changed(a as Session)
    upkeep.hurry(a as Session)
    await turn()
    expect(told()).toEqual([`put a ${TTL_MS}`])
    let go = (_: Answer): void => undefined
    answer = () => new Promise((resolve) => (go = resolve))
    const isTaken = watched(upkeep.record(a as Session))
    await turn()
    expect([told(), isTaken()]).toEqual([[`put a ${TTL_MS}`], false])
    go({})
    await turn()
    expect(isTaken()).toBe(true)
  })

  it('has been taken for whoever waits, though it changes again before it is told', async () => {
    const a = session('a')
    const waits = [upkeep.record(a), upkeep.record(a)].map(watched)
    upkeep.changed(a)
    await turn()
    expect([told(), waits.map((isSettled) => isSettled())]).toEqual([[`put a ${TTL_MS}`], [true, true]])
  })

  it('is tried again when the store was away, and nobody waits for that', async () => {
    answer = () => Promise.reject(away)
    const a = session('a')
    const isRefused = watched(upkeep.record(a))
    await turn()
    expect([told(), isRefused()]).toEqual([[`put a ${TTL_MS}`], true])
    expect(watched(upkeep.record(session('b')))()).toBe(true)
    expect(told()).toEqual([])
    answer = () => ({})
    await upkeep.tick()
    expect(told()).toEqual([`put a,b ${TTL_MS}`])
  })

  it('is not waited for, or tried again where it was forgotten, when the store goes away while it is told of something else', async () => {
    let refuse = (_: Error): void => undefined
    answer = () =>
      new Promise((_, reject) => {
        refuse = reject
      })
    const [a, b] = [session('a'), session('b')]
    const isRefused = watched(upkeep.record(a))
    await turn()
    const isLeft = watched(upkeep.record(b))
    upkeep.forget(a)
    await turn()
    expect([isRefused(), isLeft()]).toEqual([false, false])
    refuse(away)
    await turn()
    expect([isRefused(), isLeft()]).toEqual([true, true])
    told()
    answer = () => ({})
    await upkeep.tick()
    expect(told()).toEqual([`put b ${TTL_MS}`])
  })

  it('waits while another call is under way', async () => {
    let go = (_: Answer): void => undefined
    answer = () => new Promise((resolve) => (go = resolve))
    upkeep.changed(session('a'))
    const ticks = [upkeep.tick(), upkeep.tick()]
    await turn()
    upkeep.changed(session('b'))
    ticks.push(upkeep.tick())
    await turn()
    expect(told()).toEqual([`put a ${TTL_MS}`])
    answer = () => ({})
    go({})
    await Promise.all(ticks)
    expect(told()).toEqual([`put b ${TTL_MS}`])
  })

  it('goes to the store by five hundred', async () => {
    for (let n = 0; n < 1200; n++) upkeep.changed(session(`${n}`))
    await upkeep.tick()
    expect(told().map((call) => call.split(',').length)).toEqual([500, 500, 200])
  })

  it('does not fail the others where the store refuses one of them for good, of which it is said once', async () => {
    answer = (ids) => {
      if (ids.includes('big')) throw new FusewireError('message_too_large')
      return {}
    }
    const taken = new Set<string>()
    for (const id of ['a', 'b', 'big', 'c', 'd']) upkeep.changed(session(id))
    const accept = (): void => {
      for (const call of told()) if (!call.includes('big')) for (const id of (call.split(' ')[1] ?? '').split(',')) taken.add(id)
    }
    await upkeep.tick()
    accept()
    expect([...taken].toSorted()).toEqual(['a', 'b', 'c', 'd'])
    expect(logged).toEqual([['session_not_shared', 'big']])
    upkeep.changed(byId.get('big') as Session)
    await upkeep.tick()
    expect(logged).toEqual([['session_not_shared', 'big']])
  })

  it('is not told of one that was forgotten while the store refused another for good', async () => {
    answer = (ids) => {
      if (!ids.includes('big')) return {}
      upkeep.forget(byId.get('ended') as Session)
      throw new FusewireError('message_too_large')
    }
    for (const id of ['a', 'ended', 'big']) upkeep.changed(session(id))
    await upkeep.tick()
    expect(told()).toEqual([`put a,ended,big ${TTL_MS}`, `put a ${TTL_MS}`, `put big ${TTL_MS}`])
    expect(upkeep.isKnown(byId.get('ended') as Session)).toBe(false)
  })
})

describe('what has not changed', () => {
  it('is refreshed once in its time, evenly, and present with it', async () => {
    await known(...Array.from({ length: 20 }, (_, n) => `${n}`))
    for (let round = 0; round < 2; round++) {
      const refreshed: string[] = []
      for (let passed = 0; passed < REFRESH_MS; passed += 1000) {
        environment.advance(1000)
        await upkeep.tick()
        const [call, ...others] = told()
        expect([call, others]).toEqual([expect.stringMatching(/^refresh \d+ 60000$/), []])
        refreshed.push(call?.split(' ')[1] ?? '')
      }
      expect(refreshed).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`))
      expect(present.splice(0).flat()).toEqual(refreshed)
    }
  })

  it('is refreshed evenly, too, where that is no whole number at a time', async () => {
    await known(...Array.from({ length: 30 }, (_, n) => `${n}`))
    const numbers: number[] = []
    for (let passed = 0; passed < REFRESH_MS; passed += 1000) {
      environment.advance(1000)
      await upkeep.tick()
      numbers.push(told().join().split(' ')[1]?.split(',').length ?? 0)
    }
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, n) => 1 + (n % 2)))
  })

  it('is refreshed at its time where nobody has ticked meanwhile, also when the clock has been set back between', async () => {
    await known('a', 'b')
    environment.advance(REFRESH_MS - 1)
    environment.advance(1)
    await upkeep.tick()
    expect(told()).toEqual([`refresh a,b ${TTL_MS}`])
    environment.advance(-5000)
    await upkeep.tick()
    expect(told()).toEqual([])
    environment.advance(REFRESH_MS)
    await upkeep.tick()
    expect(told()).toEqual([`refresh a,b ${TTL_MS}`])
  })

  it('is refreshed when all is asked for, whenever it was told last', async () => {
    await known('a', 'b')
    await upkeep.all()
    expect(told()).toEqual([`refresh a,b ${TTL_MS}`])
    await upkeep.all()
    expect(told()).toEqual([`refresh a,b ${TTL_MS}`])
  })

  it('goes to the store by five hundred', async () => {
    await known(...Array.from({ length: 1200 }, (_, n) => `${n}`))
    environment.advance(REFRESH_MS)
    await upkeep.tick()
    expect(told().map((call) => call.split(',').length)).toEqual([500, 500, 200])
  })

  it('is tried again when the store was away', async () => {
    await known('a')
    environment.advance(REFRESH_MS)
    answer = () => Promise.reject(away)
    await upkeep.tick()
    expect([told(), present]).toEqual([[`refresh a ${TTL_MS}`], []])
    answer = () => ({})
    await upkeep.tick()
    expect(told()).toEqual([`refresh a ${TTL_MS}`])
  })

  it('is told anew where the store does not know it', async () => {
    await known('a', 'b')
    environment.advance(REFRESH_MS)
    answer = (ids) => ({ unknown: ids.filter((id) => id === 'b') })
    await upkeep.tick()
    expect(told()).toEqual([`refresh a,b ${TTL_MS}`, `put b ${TTL_MS}`])
  })
})

describe("a session that is not this node's any more", () => {
  it('is let go before presence is refreshed, and asked about no more', async () => {
    await known('a', 'b')
    environment.advance(REFRESH_MS)
    answer = (ids) => ({ lost: ids.filter((id) => id === 'a') })
    await upkeep.tick()
    expect([lost, present]).toEqual([['a'], [['b']]])
    told()
    environment.advance(REFRESH_MS)
    await upkeep.tick()
    expect(told()).toEqual([`refresh b ${TTL_MS}`])
    upkeep.changed(byId.get('b') as Session)
    answer = () => ({ lost: ['b'] })
    await upkeep.tick()
    expect(lost).toEqual(['a', 'b'])
  })

  it('is forgotten, and nobody waits for it', async () => {
    const [a] = (await known('a')) as [Session]
    let go = (_: Answer): void => undefined
    answer = () => new Promise((resolve) => (go = resolve))
    upkeep.changed(session('b'))
    void upkeep.tick()
    await turn()
    const isSettled = watched(upkeep.record(a))
    expect([upkeep.forget(a), upkeep.forget(a), upkeep.isKnown(a)]).toEqual([true, false, false])
    await turn()
    expect(isSettled()).toBe(true)
    go({})
    await turn()
    expect(told()).toEqual([`put b ${TTL_MS}`])
  })
})
