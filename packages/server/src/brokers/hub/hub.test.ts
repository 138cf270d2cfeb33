import {
  brokerContract,
  eventually,
  FakeEnvironment,
  nodeBusContract,
  presenceContract,
  revocationsContract,
  sessionStoreContract,
} from '@fusewire/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { HubHarness, PRESENCE_TTL_MS } from './testing/hub-harness.ts'

let harness: HubHarness | undefined
const fresh = async (options: { maxRevocations?: number } = {}): Promise<HubHarness> => {
  await harness?.[Symbol.asyncDispose]()
  harness = new HubHarness(new FakeEnvironment(), options)
  return harness
}
afterEach(async () => {
  await harness?.[Symbol.asyncDispose]()
  harness = undefined
})

brokerContract(
  'HubBroker',
  async () => {
    const hub = await fresh()
    const { broker } = (await hub.worker()).backend
    return {
      broker,
      another: async () => (await hub.worker()).backend.broker,
      pass: async (ms) => {
        hub.pass(ms)
        // What was told before this is asked has been heard when it is answered.
        await broker.history('another', {})
      },
      idempotencyTtlMs: hub.idempotencyTtlMs,
    }
  },
  { runs: 50 },
)

presenceContract('HubPresence', async () => {
  const hub = await fresh()
  return {
    presence: (await hub.worker()).backend.presence,
    another: async () => (await hub.worker()).backend.presence,
    ttlMs: PRESENCE_TTL_MS,
    pass: (ms) => hub.pass(ms),
  }
})

revocationsContract('HubRevocations', async (limits) => {
  const hub = await fresh(limits)
  return {
    revocations: (await hub.worker()).backend.revocations,
    another: async () => (await hub.worker()).backend.revocations,
    now: () => hub.environment.now(),
    pass: (ms) => hub.pass(ms),
  }
})

const sessionsOf = async (hub: HubHarness, node: string) => {
  const { shared } = (await hub.worker(node)).backend
  if (!shared) throw new Error('workers share their sessions')
  return shared.sessions
}

sessionStoreContract(
  'HubSessions',
  async () => {
    const hub = await fresh()
    return {
      store: await sessionsOf(hub, 'a'),
      another: (node) => sessionsOf(hub, node),
      pass: (ms) => hub.pass(ms + 100),
      traceMs: 600_000,
      forget: () => hub.hub.sessions.forget(),
    }
  },
  { runs: 50 },
)

nodeBusContract('HubBus', async () => {
  const { shared } = (await (harness ?? (await fresh())).worker()).backend
  if (!shared) throw new Error('workers share a bus')
  return shared.bus
})

const KEPT = { historySize: 5, historyTtlMs: 1000, historyBytes: 1_000_000 }

describe('the hub', () => {
  it('answers in the order of the questions, whoever waits, and each with its own answer', async () => {
    const { broker, presence } = (await (await fresh()).worker()).backend
    const answers = await Promise.allSettled([
      broker.publish('a', { data: 1 }, KEPT),
      broker.publish('a', { data: 2 }, { ...KEPT, ifPosition: { epoch: 'another', offset: 1 } }),
      presence.add('a', { session: 's1' }),
      broker.history('a', {}),
    ])
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.code))).toMatchObject([
      { position: { offset: 1 } },
      'conflict',
      true,
      { publications: [{ data: 1 }] },
    ])
  })

  it('forgets what a worker wanted that has gone', async () => {
    const hub = await fresh()
    const [one, other] = [await hub.worker(), await hub.worker()]
    for (const { backend } of [one, other]) await backend.broker.subscribe('a')
    expect(hub.hub.interests.of('a').size).toBe(2)
    one.socket.destroy()
    await eventually(() => expect(hub.hub.interests.of('a').size).toBe(1))
    other.socket.destroy()
    await eventually(() => expect(hub.hub.interests.of('a').size).toBe(0))
  })

  it('cuts off a worker that does not read, and no other', async () => {
    const hub = await fresh()
    const cut: string[] = []
    const stalled = await hub.worker('stalled', { maxUnreadBytes: 1_000_000, onClosed: (reason) => cut.push(reason) })
    const reader = await hub.worker('reader', { maxUnreadBytes: 1_000_000 })
    const offsets: number[] = []
    const listener = { interrupted: () => {}, announcement: () => {} }
    await reader.backend.broker.start({ ...listener, publication: (_, { offset }) => offsets.push(offset) })
    for (const { backend } of [stalled, reader]) await backend.broker.subscribe('a')
    stalled.socket.pause()
    const data = 'x'.repeat(100_000)
    for (let n = 0; n < 50; n++) await reader.backend.broker.publish('a', { data }, KEPT)
    expect(offsets).toHaveLength(50)
    expect(cut).toEqual(['unread'])
    stalled.socket.resume()
    await eventually(() => expect(stalled.lost()).toBe(1))
    expect(reader.lost()).toBe(0)
  })

  it('lets a single answer be larger than what may wait', async () => {
    const hub = await fresh()
    const { broker } = (await hub.worker('a', { maxUnreadBytes: 10_000 })).backend
    const data = 'x'.repeat(1_000_000)
    await broker.publish('a', { data }, { ...KEPT, historyBytes: 10_000_000 })
    expect((await broker.history('a', {})).publications.map((publication) => publication.data)).toEqual([data])
  })

  it('that is gone refuses what is asked, then and later, and says so to readiness', async () => {
    const hub = await fresh()
    const { backend, lost } = await hub.worker()
    expect(backend.problem()).toBeUndefined()
    const asked = backend.broker.publish('a', { data: 1 }, KEPT)
    await hub.hub.close()
    await expect(asked).rejects.toMatchObject({ code: 'broker_unavailable' })
    await expect(backend.presence.list('a')).rejects.toMatchObject({ code: 'broker_unavailable' })
    expect(lost()).toBe(1)
    expect(backend.problem()).toMatchObject({ code: 'broker_unavailable' })
    expect(backend.stats).toMatchObject({ broker: 'hub', isUp: false, outages: 1 })
  })

  it('that stands still is waited for no longer than the timeout, and is heard again afterwards', async () => {
    const hub = await fresh()
    let release: (value: undefined) => void = () => {}
    hub.broker.clearHistory = () => new Promise<undefined>((resolve) => (release = resolve)) as never
    const { backend } = await hub.worker('a', { timeoutMs: 100 })
    const late = await Promise.allSettled([backend.broker.clearHistory('a'), backend.broker.publish('a', { data: 1 }, KEPT)])
    expect(late.map((answer) => answer.status === 'rejected' && answer.reason.code)).toEqual([
      'broker_unavailable',
      'broker_unavailable',
    ])
    expect(backend.problem()).toMatchObject({ code: 'broker_unavailable' })
    release(undefined)
    await eventually(() => expect(backend.problem()).toBeUndefined())
    expect((await backend.broker.publish('a', { data: 2 }, KEPT)).position.offset).toBe(2)
  })
})
