import { FakeEnvironment, HeldCalls, turn } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { Hub } from './hub.ts'
import { MemoryBroker } from './memory/memory-broker.ts'
import type { Broker } from './ports/broker.ts'
import { DEFAULT_RULE } from './rule.ts'
import { RuleBook } from './rule-book.ts'
import { Session } from './session.ts'
import { Counters } from './stats.ts'
import { TimerWheel } from './timer-wheel.ts'

/** A broker that writes down in which channels this node is interested. */
class WatchedBroker extends MemoryBroker {
  readonly interests: string[] = []

  override subscribe(channel: string): void {
    this.interests.push(`+${channel}`)
  }

  override unsubscribe(channel: string): void {
    this.interests.push(`-${channel}`)
  }
}

const rules = new RuleBook(DEFAULT_RULE)

const newSession = (id: string): Session =>
  new Session(
    id,
    id,
    { capabilities: [], channels: [] },
    {
      connection: {
        transport: 'tcp',
        remoteAddress: '',
        format: { name: '', encode: () => new Uint8Array() },
        send: () => undefined,
        close: () => undefined,
      },
      send: () => undefined,
      end: () => undefined,
      refreshed: () => undefined,
    },
    { transport: 'tcp', remoteAddress: '' },
  )

const newHub = (broker: Broker): Hub =>
  new Hub({ broker, rules, counters: new Counters(), wheel: new TimerWheel(0), now: () => 0, log: () => undefined })

describe('Hub', () => {
  it('is interested in a channel from its first subscriber to its last', () => {
    const broker = new WatchedBroker(new FakeEnvironment())
    const hub = newHub(broker)
    const [one, other] = [hub.enter(newSession('1'), 'news'), hub.enter(newSession('2'), 'news')]
    const alone = hub.enter(newSession('1'), 'chat')
    expect([hub.channelCount, hub.subscriptionCount]).toEqual([2, 3])
    hub.leave(one)
    hub.leave(one)
    expect([hub.channelCount, hub.subscriptionCount]).toEqual([2, 2])
    hub.leave(other)
    hub.leave(alone)
    expect([hub.channelCount, hub.subscriptionCount]).toEqual([0, 0])
    expect(broker.interests).toEqual(['+news', '+chat', '-news', '-chat'])
  })

  it('asks the broker again when a channel is entered anew after it could not be', async () => {
    const calls = new HeldCalls()
    const hub = newHub(calls.of(new MemoryBroker(new FakeEnvironment()), 'subscribe'))
    calls.holding = 'calls'
    const first = hub.enter(newSession('1'), 'news')
    const ready = hub.ready(first)
    calls.refuse(new Error('away'))
    await expect(ready).rejects.toThrow('away')
    hub.leave(first)
    calls.holding = 'nothing'
    expect(await hub.ready(hub.enter(newSession('1'), 'news'))).toBeUndefined()
  })

  it('holds nothing of a channel any more once that has caught up', async () => {
    const calls = new HeldCalls()
    const broker = new MemoryBroker(new FakeEnvironment())
    const hub = newHub(calls.of(broker, 'history'))
    const subscription = hub.enter(newSession('1'), 'news')
    const { channel, session } = subscription
    const { position } = broker.history('news', {})
    calls.holding = 'answers'
    if (session.link) hub.catchUp(subscription, session.link.connection, position)
    await turn()
    hub.publication('news', { offset: 1, data: 0, time: 0 }, position.epoch)
    expect(channel.heldForCatching.size).toBe(1)
    calls.release()
    await turn()
    expect([subscription.state.kind, channel.heldForCatching.size]).toEqual(['live', 0])
  })

  it('takes no harm from a broker that is away when a channel is left', async () => {
    const broker = new MemoryBroker(new FakeEnvironment())
    const hub = newHub(broker)
    for (const refuse of [
      () => Promise.reject(new Error('away')),
      () => {
        throw new Error('away')
      },
    ]) {
      broker.unsubscribe = refuse as () => void
      hub.leave(hub.enter(newSession('1'), 'news'))
      await turn()
    }
    expect(hub.channelCount).toBe(0)
  })
})
