import { FusewireError } from '@fusewire/protocol'
import { FakeEnvironment, HeldCalls, memoryFormat, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { Attendance } from './attendance.ts'
import { HubChannel } from './hub-channel.ts'
import { MemoryBroker } from './memory/memory-broker.ts'
import { MemoryPresence } from './memory/memory-presence.ts'
import { DEFAULT_RULE, DEVELOPMENT_RULE } from './rule.ts'
import { RuleBook } from './rule-book.ts'
import { Session } from './session.ts'
import { Subscription } from './subscription.ts'

const CHANNEL = 'open:a'

const away = new FusewireError('broker_unavailable')

let store: MemoryPresence
let held: { add: HeldCalls; remove: HeldCalls; refresh: HeldCalls }
let attendance: Attendance
let broker: MemoryBroker
/** What those who watch have heard: who has come (+) and gone (-). */
let heard: string[]
let logged: string[]

beforeEach(async () => {
  store = new MemoryPresence()
  held = { add: new HeldCalls(), remove: new HeldCalls(), refresh: new HeldCalls() }
  heard = []
  logged = []
  broker = new MemoryBroker(new FakeEnvironment())
  broker.start({
    publication: () => {},
    interrupted: () => {},
    announcement: ({ type, member }) => heard.push(`${type === 'join' ? '+' : '-'}${member.session}`),
  })
  const rules = new RuleBook(DEFAULT_RULE)
  rules.add('open:*', DEVELOPMENT_RULE)
  attendance = new Attendance({
    presence: held.refresh.of(held.remove.of(held.add.of(store, 'add'), 'remove'), 'refresh'),
    broker,
    rules,
    log: (event) => logged.push(event),
    record: () => undefined,
  })
})

const newSubscription = (id: string, name = CHANNEL): Subscription => {
  const connection = { transport: 'tcp', remoteAddress: '', format: memoryFormat(), send: () => {}, close: () => {} } as const
  const session = new Session(id, id, { capabilities: [], channels: [] }, undefined, connection)
  const subscription = new Subscription(session, new HubChannel(name, () => {}))
  session.subscriptions.set(name, subscription)
  return subscription
}

const come = async (subscription: Subscription): Promise<void> => {
  attendance.note(subscription)
  await attendance.join(subscription)
}

/** Comes, and the store refuses; with `answers` it has taken it all the same. */
const comeInVain = async (subscription: Subscription, holding: HeldCalls['holding']): Promise<void> => {
  held.add.holding = holding
  const coming = come(subscription)
  await turn()
  held.add.holding = 'nothing'
  held.add.refuse(away)
  await expect(coming).rejects.toBe(away)
}

const present = () => store.list(CHANNEL).map(({ session }) => session)

describe('attendance', () => {
  it('is kept of nobody where the rule keeps no presence', async () => {
    const subscription = newSubscription('s', 'quiet')
    await come(subscription)
    expect([store.list('quiet'), heard]).toEqual([[], []])
    attendance.leave(subscription)
    expect(heard).toEqual([])
  })

  it('is told once, however often somebody comes and leaves', async () => {
    const subscription = newSubscription('s')
    held.add.holding = held.remove.holding = 'answers'
    attendance.note(subscription)
    const comings = [attendance.join(subscription)]
    held.add.release()
    await Promise.all(comings)
    expect(attendance.join(subscription)).toBeUndefined()
    expect(held.add.size).toBe(0)
    attendance.leave(subscription)
    attendance.leave(subscription)
    expect(held.remove.size).toBe(1)
    held.remove.release()
    await turn()
    expect(heard).toEqual(['+s', '-s'])
  })

  it('is not that of one who has left before the store has answered', async () => {
    const subscription = newSubscription('s')
    held.add.holding = 'answers'
    const coming = come(subscription)
    attendance.leave(subscription)
    held.add.release()
    await coming
    await attendance.refresh([subscription.session])
    expect(present()).toEqual([])
    expect(heard).toEqual(['+s', '-s'])
  })

  it('is told in the order in which the store was asked, whichever answer is the first', async () => {
    const subscription = newSubscription('s')
    held.add.holding = held.remove.holding = 'answers'
    const first = come(subscription)
    attendance.leave(subscription)
    held.add.release(1)
    await first
    const again = come(subscription)
    held.add.release()
    await again
    expect(heard).toEqual(['+s'])
    held.remove.release()
    await turn()
    expect(heard).toEqual(['+s', '-s', '+s'])
    expect(present()).toEqual(['s'])
  })
})

describe('attendance that the store has refused', () => {
  it('is told by the next attempt, though the store has taken the first', async () => {
    const subscription = newSubscription('s')
    await comeInVain(subscription, 'answers')
    expect([heard, present()]).toEqual([[], ['s']])
    await attendance.join(subscription)
    expect(heard).toEqual(['+s'])
    attendance.leave(subscription)
    expect(heard).toEqual(['+s', '-s'])
  })

  it('ends unheard, whether or not the store has taken it', async () => {
    for (const holding of ['calls', 'answers'] as const) {
      const subscription = newSubscription(holding)
      await comeInVain(subscription, holding)
      attendance.leave(subscription)
      await turn()
    }
    expect([heard, present()]).toEqual([[], []])
  })

  it('is told by an attempt that was made before the refusal came', async () => {
    const subscription = newSubscription('s')
    held.add.holding = 'answers'
    const refused = come(subscription)
    const taken = attendance.join(subscription)
    held.add.refuse(away, 1)
    held.add.release()
    await expect(refused).rejects.toBe(away)
    await taken
    await turn()
    expect(heard).toEqual(['+s'])
  })

  it('is still heard of when it has been told before', async () => {
    const subscription = newSubscription('s')
    subscription.presence = { kind: 'taken', member: subscription.session.member() }
    store.add(CHANNEL, subscription.session.member())
    held.add.holding = 'answers'
    const joining = attendance.join(subscription)
    attendance.leave(subscription)
    held.add.refuse(away)
    await expect(joining).rejects.toBe(away)
    await turn()
    expect(heard).toEqual(['-s'])
  })
})

describe('a refresh of attendance', () => {
  it('names everyone who is present, of whichever session and channel, and nobody else', async () => {
    const all = ['r', 's', 't'].map((id) => newSubscription(id))
    const other = newSubscription('u', 'open:b')
    for (const subscription of [...all, other]) await come(subscription)
    const [, gone] = all
    if (gone) attendance.leave(gone)
    const noted = newSubscription('v')
    attendance.note(noted)
    store.close()
    await attendance.refresh([...all, other, noted].map(({ session }) => session))
    expect([present(), store.list('open:b')]).toMatchObject([['r', 't'], [{ session: 'u' }]])
  })

  it('that fails is logged once, until one succeeds', async () => {
    const subscription = newSubscription('s')
    await come(subscription)
    for (const isRefused of [true, true, false, true]) {
      held.refresh.holding = isRefused ? 'calls' : 'nothing'
      const refreshing = attendance.refresh([subscription.session])
      held.refresh.refuse(away)
      await refreshing
    }
    expect(logged).toEqual(['presence_refresh_failed', 'presence_refresh_failed'])
  })
})

describe('an announcement', () => {
  it('that the broker refuses, at once or later, is logged, and the store has it all the same', async () => {
    broker.announce = () => {
      throw away
    }
    await come(newSubscription('s'))
    broker.announce = async () => Promise.reject(away)
    await come(newSubscription('t'))
    await turn()
    expect(present()).toEqual(['s', 't'])
    expect(logged).toEqual(['announcement_failed', 'announcement_failed'])
  })
})
