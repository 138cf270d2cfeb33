import { FusewireError } from '@fusewire/protocol'
import { FakeEnvironment, FakeHooks, sessionRecord, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Attendance } from './attendance.ts'
import { HookNotices } from './hook-notices.ts'
import { SessionEnds } from './session-ends.ts'
import { Counters } from './stats.ts'

const away = new FusewireError('broker_unavailable')

let hooks: FakeHooks
let ends: SessionEnds
/** Sessions whose presence has been asked to end; what follows from that. */
let asked: string[]
let part: (session: string) => Promise<void> | undefined

beforeEach(() => {
  hooks = new FakeHooks()
  hooks.wanted.add('disconnect').add('unsubscribe')
  asked = []
  part = () => undefined
  const attendance: Pick<Attendance, 'part'> = {
    part: async (_, { session }) => {
      asked.push(session)
      await part(session)
    },
  }
  ends = new SessionEnds({
    attendance: attendance as Attendance,
    notices: new HookNotices(hooks, new FakeEnvironment()),
    counters: new Counters(),
  })
})

const record = (id: string) =>
  sessionRecord(id, {
    subscriptions: [
      { channel: 'open:a', member: { session: id } },
      { channel: 'open:b' },
      { channel: 'open:c', isPending: true },
    ],
  })

const told = (): string[] => hooks.notices.map(({ event }) => event)

describe('the end of a session', () => {
  it('is told once its presence has ended, and of the channels of which its client has been told', async () => {
    let go = (): void => undefined
    part = () => new Promise((resolve) => (go = resolve))
    const end = ends.conclude(record('s'), 'closed')
    await turn()
    expect([asked, told()]).toEqual([['s'], []])
    go()
    await end
    expect(hooks.notices).toMatchObject([
      { event: 'unsubscribe', channel: 'open:a', reason: 'session_ended' },
      { event: 'unsubscribe', channel: 'open:b', reason: 'session_ended' },
      { event: 'disconnect', session: 's', reason: 'closed' },
    ])
  })

  it('is told to nobody while its presence cannot be ended, and can be tried again', async () => {
    part = () => Promise.reject(away)
    await expect(ends.conclude(record('s'), 'expired')).rejects.toBe(away)
    expect(told()).toEqual([])
    await ends.tick()
    expect(asked).toEqual(['s'])
    part = () => undefined
    await ends.conclude(record('s'), 'expired')
    expect(told()).toEqual(['unsubscribe', 'unsubscribe', 'disconnect'])
  })
})

describe('the end of a session that nobody else sees to', () => {
  it('is told all the same, and its presence is ended as soon as it can be, once', async () => {
    part = () => Promise.reject(away)
    await ends.concludeAlone(record('s'), 'closed')
    expect(told()).toEqual(['unsubscribe', 'unsubscribe', 'disconnect'])
    await ends.tick()
    part = () => undefined
    for (let ticks = 0; ticks < 3; ticks++) await ends.tick()
    expect(asked).toEqual(['s', 's', 's'])
    expect(told()).toHaveLength(3)
  })

  it('leaves presence alone that the store will never take', async () => {
    part = () => Promise.reject(new FusewireError('message_too_large'))
    await ends.concludeAlone(record('s'), 'closed')
    await ends.tick()
    expect([asked, told().length]).toEqual([['s'], 3])
  })

  it('has its presence tried by one tick at a time, which the others wait for', async () => {
    part = () => Promise.reject(away)
    await ends.concludeAlone(record('s'), 'closed')
    let go = (): void => undefined
    part = () => new Promise((resolve) => (go = resolve))
    let done = 0
    const ticks = [ends.tick(), ends.tick()].map((tick) => tick.then(() => done++))
    await turn()
    expect([asked.length, done]).toEqual([2, 0])
    go()
    await Promise.all(ticks)
    expect([asked.length, done]).toEqual([2, 2])
  })

  it('does not let the others be tried where the store still refuses', async () => {
    part = () => Promise.reject(away)
    for (let n = 0; n < 1200; n++) await ends.concludeAlone(record(`s${n}`), 'closed')
    asked = []
    await ends.tick()
    expect(asked.length).toBeLessThan(1200)
    asked = []
    part = () => undefined
    await ends.tick()
    expect(new Set(asked).size).toBe(1200)
    expect(asked).toHaveLength(1200)
  })
})
