import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { EngineHarness, eventually, HeldCalls, memoryFormat, plainAuthenticator, turn } from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { MemoryBroker } from './memory/memory-broker.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const HOUR = 3_600_000

/** Expects that nothing holds any of these any more. */
const expectForgotten = async (references: readonly (readonly [name: string, reference: WeakRef<object>])[]): Promise<void> => {
  await eventually(async () => {
    // What was looked at in this turn is kept until its end.
    await turn()
    collectGarbage()
    expect(references.filter(([, reference]) => reference.deref()).map(([name]) => name)).toEqual([])
  })
}

it('holds nothing of connections and sessions that have ended, however they were used', async () => {
  const infos: WeakRef<object>[] = []
  const harness = await EngineHarness.start({
    authenticator: {
      authenticate: async () => {
        const info = { name: 'Ann' }
        infos.push(new WeakRef(info))
        return { user: 'ann', info, capabilities: [], channels: ['open:auto'], expiresAt: harness.environment.now() + HOUR }
      },
      authorizeChannel: async (_, channel) => ({ channel, expiresAt: harness.environment.now() + 24 * HOUR }),
    },
  })
  // Others stay in the same channels.
  const bystander = await harness.connect({ token: 'bob' })
  await harness.subscribe(bystander, 'open:a')

  const visit = async (end: 'cut' | 'leave' | 'kick'): Promise<WeakRef<object>[]> => {
    const format = memoryFormat('its own')
    const first = harness.open(format)
    first.say({ type: 'connect', subscriptions: [{ channel: 'open:a', presence: true, tags: { lang: 'cs' } }] })
    first.say({ type: 'subscribe', channel: 'open:b', token: 'any' })
    first.say({ type: 'refresh', channel: 'open:b', token: 'any' })
    await turn()
    first.say({ type: 'subscribe', channel: 'open:a' })
    first.cut()
    const second = harness.open(format)
    second.say({ type: 'connect', resume: first.last('connected').resume, token: 'new' })
    await turn()
    harness.engine.publish('open:a', { data: 1 })
    if (end === 'cut') second.cut()
    else if (end === 'leave') second.say({ type: 'disconnect' })
    else harness.engine.disconnectUser({ session: second.last('connected').session })
    return [first, second, format].map((object) => new WeakRef(object))
  }
  const references: [string, WeakRef<object>][] = []
  for (const end of ['cut', 'leave', 'kick'] as const) for (const reference of await visit(end)) references.push([end, reference])
  harness.advance(20_000)
  bystander.say({ type: 'ping' })
  harness.advance(20_000)
  bystander.say({ type: 'ping' })
  harness.advance(21_000)
  await turn()
  expect(harness.engine.stats().sessions).toBe(1)
  await expectForgotten([...references, ...infos.slice(1).map((info) => ['info', info] as [string, WeakRef<object>])])
  expect(bystander.isOpen).toBe(true)
})

it('holds nothing that waits on a connection which has ended, though the answer that it waits for never comes', async () => {
  const tokens = new HeldCalls()
  const harness = await EngineHarness.start({ authenticator: tokens.of(plainAuthenticator, 'authenticate') })
  tokens.holding = 'calls'
  const send = (): WeakRef<object> => {
    const data = { large: true }
    const client = harness.open()
    client.say({ type: 'connect' })
    client.say({ type: 'publish', channel: 'open:a', data })
    client.cut()
    return new WeakRef(data)
  }
  await expectForgotten([['data', send()]])
  expect(tokens.size).toBe(1)
})

it('is back where it was after 10,000 visits to channels of their own, however they end', async () => {
  const brokers: MemoryBroker[] = []
  const harness = await EngineHarness.start({
    broker: (environment) => {
      const broker = new MemoryBroker(environment)
      brokers.push(broker)
      return broker
    },
  })
  const gauges = () => {
    const { connections, sessions, detachedSessions, subscriptions, channels, deadlines } = harness.engine.stats()
    return { connections, sessions, detachedSessions, subscriptions, channels, deadlines, ...brokers[0]?.size }
  }
  const visits = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) {
      const channel = `open:${n}`
      const client = harness.open(n % 2 ? memoryFormat('its own') : undefined)
      client.say({ type: 'connect', subscriptions: [{ channel, presence: true }, { channel: 'open:all' }] })
      client.say({ type: 'publish', channel, data: n, key: 'k' })
      await turn()
      if (n % 3 === 0) client.say({ type: 'unsubscribe', channel })
      if (n % 3 === 1) client.say({ type: 'disconnect' })
      else client.cut()
    }
    harness.advance(61_000)
    // Time enough for histories, keys and the places of channels to be forgotten.
    for (let hour = 0; hour < 2; hour++) {
      harness.environment.advance(HOUR)
      harness.engine.tick()
      for (const broker of brokers) broker.sweep()
    }
    await turn()
  }
  const heap = (): number => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const nothing = gauges()
  await visits(0, 1000)
  expect(gauges()).toEqual(nothing)
  const before = heap()
  await visits(1000, 11_000)
  expect(gauges()).toEqual(nothing)
  // Less than 100 bytes of each visit: a forgotten listener is more.
  expect(heap() - before).toBeLessThan(1_000_000)
}, 60_000)
