import { FusewireError } from '@fusewire/protocol'
import { EngineHarness, HeldCalls, InterruptibleBroker, memoryFormat, turn } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryBroker } from './memory/memory-broker.ts'
import { DEVELOPMENT_RULE } from './rule.ts'

const CHANNEL = 'open:a'
let broker: InterruptibleBroker
let calls: HeldCalls
let harness: EngineHarness

beforeEach(async () => {
  calls = new HeldCalls()
  harness = await EngineHarness.start({
    broker: (environment) => {
      broker = new InterruptibleBroker(() => new MemoryBroker(environment))
      return calls.of<InterruptibleBroker>(broker, 'history', 'state')
    },
    rules: { 'doc:*': { ...DEVELOPMENT_RULE, state: true } },
  })
})

const publish = (data: unknown, tags?: Record<string, string>): void =>
  void harness.engine.publish(CHANNEL, { data, ...(tags && { tags }) })

describe('[S13] an interruption', () => {
  it('is made up for by one reading and one encoding for all who have got to the same place', async () => {
    const format = memoryFormat('other')
    const clients = [await harness.connect(), await harness.connect(), harness.open(format), harness.open(format)]
    for (const client of clients.slice(2)) client.say({ type: 'connect' })
    await turn()
    for (const client of clients) await harness.subscribe(client, CHANNEL)
    publish('before')
    broker.cut()
    publish('missed')
    calls.holding = 'calls'
    broker.mend()
    // The broker is at it still, and not to be asked from within.
    expect(calls.size).toBe(0)
    await turn()
    expect(calls.size).toBe(1)
    publish('meanwhile')
    calls.release()
    await turn()
    publish('live')
    for (const client of clients) {
      const [, again] = client.all('subscribed')
      expect(again).toMatchObject({ recovered: true, position: { offset: 3 } })
      expect(again?.publications?.map(({ data }) => data)).toEqual(['missed', 'meanwhile'])
      expect(client.all('publication').map(({ data }) => data)).toEqual(['before', 'live'])
    }
    const [a, b, c, d] = clients.map(({ frames }) => frames.at(-2))
    expect([a === b, c === d, a === c]).toEqual([true, true, false])
  })

  it('goes unnoticed by nobody, though the broker says nothing: the next publication shows the gap', async () => {
    const client = await harness.connect()
    await harness.subscribe(client, CHANNEL)
    broker.cut()
    publish(1)
    broker.mend({ silently: true })
    publish(2)
    await turn()
    expect(client.last('subscribed').publications?.map(({ data }) => data)).toEqual([1, 2])
    expect(client.all('publication')).toEqual([])
  })

  it('passes by what a filter does not want, of what was missed and of what is published meanwhile', async () => {
    const [client, all] = [await harness.connect(), await harness.connect()]
    client.say({ type: 'subscribe', channel: CHANNEL, tags: { lang: 'cs' } })
    await harness.subscribe(all, CHANNEL)
    broker.cut()
    publish(1, { lang: 'cs' })
    publish(2, { lang: 'de' })
    calls.holding = 'answers'
    broker.mend()
    await turn()
    publish(3, { lang: 'de' })
    publish(4, { lang: 'cs' })
    calls.release()
    await turn()
    for (const [{ received }, missed, live] of [
      [client, [1], [4]],
      [all, [1, 2], [3, 4]],
    ] as const) {
      const [, again, ...following] = received.filter(({ type }) => type === 'subscribed' || type === 'publication')
      expect(again).toMatchObject({ type: 'subscribed', publications: missed.map((data) => ({ data })) })
      expect(following).toMatchObject(live.map((data) => ({ type: 'publication', data })))
    }
  })

  it('is made up for each time that there is one, and counted for each subscription', async () => {
    const client = await harness.connect()
    await harness.subscribe(client, CHANNEL)
    for (const data of [1, 2]) {
      broker.cut()
      publish(data)
      broker.mend()
      await turn()
      expect(client.last('subscribed').publications).toMatchObject([{ data }])
    }
    expect(harness.engine.stats().recoveries).toEqual({ complete: 2, incomplete: 0 })
    await broker.lose()
    await turn()
    expect(harness.engine.stats().recoveries).toEqual({ complete: 2, incomplete: 1 })
  })

  it('leaves the end of a channel token where it was', async () => {
    const client = await harness.connect({ token: 'ann' })
    const expiresAt = harness.environment.now() + 60_000
    client.say({ type: 'subscribe', channel: CHANNEL, token: `ann>${CHANNEL}@${expiresAt}` })
    await turn()
    broker.cut()
    broker.mend()
    await turn()
    expect(client.all('subscribed')).toMatchObject([{ expiresAt }, { expiresAt }])
  })

  it('is made up for to one who asked for something else meanwhile, and was refused', async () => {
    const client = await harness.connect()
    await harness.subscribe(client, CHANNEL)
    broker.cut()
    publish('missed')
    calls.holding = 'calls'
    broker.mend()
    await turn()
    await harness.subscribe(client, CHANNEL)
    expect(calls.size).toBe(2)
    calls.release(1)
    calls.holding = 'nothing'
    calls.refuse(new FusewireError('broker_unavailable'))
    await turn()
    expect(client.last('error').code).toBe('broker_unavailable')
    expect(client.all('subscribed')).toHaveLength(2)
    expect(client.last('subscribed').publications?.map(({ data }) => data)).toEqual(['missed'])
  })

  it('ends the connection that cannot be told of it, and no other', async () => {
    const format = memoryFormat('odd')
    const { encode } = format
    const odd = harness.open(format)
    odd.say({ type: 'connect' })
    await turn()
    const other = await harness.connect()
    for (const client of [odd, other]) await harness.subscribe(client, CHANNEL)
    format.encode = (message) => {
      if (message.type === 'subscribed') throw new Error('cannot be written')
      return encode(message)
    }
    broker.cut()
    publish('missed')
    broker.mend()
    await turn()
    expect([odd.closedWith, other.closedWith]).toEqual(['internal_error', undefined])
    expect(other.last('subscribed').publications).toMatchObject([{ data: 'missed' }])
    expect(harness.events).toContainEqual(['catch_up_failed', expect.objectContaining({ channel: CHANNEL })])
    expect(harness.engine.stats().recoveries).toEqual({ complete: 1, incomplete: 0 })
  })

  it('that comes while another one is made up for makes it begin again', async () => {
    const client = await harness.connect()
    await harness.subscribe(client, CHANNEL)
    calls.holding = 'answers'
    broker.cut()
    publish(1)
    broker.mend()
    await turn()
    broker.cut()
    publish(2)
    broker.mend()
    for (let n = 0; n < 3; n++) {
      calls.release()
      await turn()
    }
    expect(client.all('subscribed')).toHaveLength(2)
    expect(client.last('subscribed').publications?.map(({ data }) => data)).toEqual([1, 2])
  })

  it('is made up for later when the broker cannot be read, and nothing is delivered until then', async () => {
    const client = await harness.connect()
    await harness.subscribe(client, CHANNEL)
    calls.holding = 'calls'
    broker.cut()
    publish(1)
    broker.mend()
    await turn()
    calls.refuse(new FusewireError('broker_unavailable'))
    calls.holding = 'nothing'
    await turn()
    publish(2)
    expect([client.all('subscribed').length, client.all('publication').length]).toEqual([1, 0])
    expect(harness.events).toContainEqual(['catch_up_failed', expect.objectContaining({ channel: CHANNEL })])
    harness.advance(1500)
    await turn()
    expect(client.last('subscribed').publications?.map(({ data }) => data)).toEqual([1, 2])
  })

  it('in which everything was lost is told as that, with the new epoch', async () => {
    const client = await harness.connect()
    await harness.subscribe(client, CHANNEL)
    publish(1)
    await broker.lose()
    await turn()
    expect(client.last('subscribed')).toMatchObject({ recovered: false, position: { offset: 0 } })
    publish(2)
    expect(client.last('publication')).toMatchObject({ offset: 1, data: 2 })
  })

  it('leaves those alone who are gone meanwhile, and presence is announced to those who wait', async () => {
    const [one, other] = [await harness.connect(), await harness.connect()]
    for (const client of [one, other]) client.say({ type: 'subscribe', channel: CHANNEL, presence: true })
    await turn()
    calls.holding = 'calls'
    broker.cut()
    broker.mend()
    await turn()
    one.say({ type: 'unsubscribe', channel: CHANNEL })
    expect(other.all('leave')).toHaveLength(1)
    calls.release()
    await turn()
    expect(one.all('subscribed')).toHaveLength(1)
    expect(one.isOpen).toBe(true)
    expect(other.all('subscribed')).toHaveLength(2)
  })
})
