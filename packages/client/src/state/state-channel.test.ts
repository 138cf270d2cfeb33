import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import { ClientError } from '../client-error.ts'
import { refuse } from '../testing/fake-server.ts'
import { harness, pass, settled } from '../testing/harness.ts'
import type { StateChange } from './state-channel.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

interface Room {
  readonly title: string
  readonly topic?: string
  readonly seats?: Readonly<Record<string, string>>
}

const NAME = 'state:room'

const freeze = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}

const open = async (options: Parameters<typeof harness>[0] = {}) => {
  const setup = harness({ transports: ['websocket'], ...options })
  const room = setup.client.state<Room>(NAME)
  const changes: StateChange<Room>[] = []
  room.on('change', (change) => void changes.push(freeze(change)))
  void room.subscribe()
  await pass()
  return { ...setup, room, changes }
}

const subscribesOf = ({ server }: ReturnType<typeof harness>) =>
  server.received.flatMap((message) =>
    message.type === 'subscribe' ? [message] : message.type === 'connect' ? (message.subscriptions ?? []) : [],
  )

describe('[D1] a document', () => {
  test('is there when the subscription is, and follows each change as a new object', async () => {
    const { client, server } = harness()
    server.publish(NAME, { title: 'one', seats: { a: 'Ada' } })
    const room = client.state<Room>(NAME)
    const seen: unknown[] = []
    room.on('subscribed', () => seen.push(['subscribed', room.value]))
    room.on('change', ({ value, previous }) => seen.push([previous, value]))
    expect([room.value, room.position]).toEqual([undefined, undefined])
    const subscribed = settled(room.subscribe())
    await pass()
    expect(await subscribed).toMatchObject({ value: { position: { offset: 1 } } })
    const first = freeze(room.value)
    server.publish(NAME, { title: 'two' }, { patch: true })
    await pass()
    const second = freeze(room.value)
    expect(first).toEqual({ title: 'one', seats: { a: 'Ada' } })
    expect(second).toEqual({ title: 'two', seats: { a: 'Ada' } })
    expect(second?.seats).toBe(first?.seats)
    server.publish(NAME, { title: 'three' })
    await pass()
    expect(room.value).toEqual({ title: 'three' })
    expect(room.position).toEqual(server.position(NAME))
    expect(seen).toEqual([
      [undefined, first],
      ['subscribed', first],
      [first, second],
      [second, { title: 'three' }],
    ])
    expectTypeOf(room.value).toEqualTypeOf<Room | undefined>()
    await client.close()
  })

  test('that is not there yet is undefined at a known position', async () => {
    const { client, room, changes, server } = await open()
    expect([room.value, room.position]).toEqual([undefined, { epoch: 'epoch-2', offset: 0 }])
    expect(changes).toEqual([])
    server.publish(NAME, { title: 'first' }, { patch: true })
    await pass()
    expect(changes).toMatchObject([{ value: { title: 'first' }, patch: { title: 'first' }, position: { offset: 1 } }])
    await client.close()
  })

  test('tells who has changed it and how', async () => {
    const { client, changes, server } = await open()
    const { epoch } = server.position(NAME)
    const sender = { session: 's', user: 'ada' }
    server.tell(NAME, { type: 'publication', channel: NAME, offset: 1, data: { title: 'x' }, time: 0, sender })
    server.tell(NAME, { type: 'publication', channel: NAME, offset: 2, data: { topic: 'y' }, time: 0, patch: true })
    await pass()
    expect(changes).toEqual([
      { value: { title: 'x' }, previous: undefined, position: { epoch, offset: 1 }, sender },
      {
        value: { title: 'x', topic: 'y' },
        previous: { title: 'x' },
        position: { epoch, offset: 2 },
        patch: { topic: 'y' },
      },
    ])
    await client.close()
  })

  test('goes on from one that came another way, exactly there', async () => {
    const setup = harness()
    const { client, server } = setup
    server.publish(NAME, { title: 'one' })
    const initial = { position: server.position(NAME), document: { title: 'one' } }
    server.publish(NAME, { topic: 'since then' }, { patch: true })
    const room = client.state<Room>(NAME, { initial })
    expect([room.value, room.position]).toEqual([initial.document, initial.position])
    void room.subscribe()
    await pass()
    expect(subscribesOf(setup)).toMatchObject([{ channel: NAME, since: initial.position }])
    expect(room.value).toEqual({ title: 'one', topic: 'since then' })
    await Promise.all([room.unsubscribe(), pass()])
    expect(room.value).toBe(initial.document)
    await client.close()
  })

  test('is one for all who hold it, whoever comes first', async () => {
    const setup = await open()
    const { client, server, room } = setup
    server.publish(NAME, { title: 'one' })
    await pass()
    const other = client.state<Room>(NAME, { initial: { position: { epoch: 'old', offset: 9 }, document: { title: 'old' } } })
    expect(await settled(other.subscribe())).toHaveProperty('value')
    expect(other.value).toBe(room.value)
    expect(subscribesOf(setup)).toHaveLength(1)
    await Promise.all([room.unsubscribe(), pass()])
    server.publish(NAME, { title: 'two' }, { patch: true })
    await pass()
    expect(other.value).toEqual({ title: 'two' })
    await client.close()
  })

  test.each(['wanted', 'asked', 'live', 'idle'])('is asked for when its channel was subscribed without it: %s', async (when) => {
    const setup = harness()
    const { client, server } = setup
    server.publish(NAME, { title: 'one' })
    const channel = client.channel<Room>(NAME, { since: server.position(NAME) })
    const heard: number[] = []
    channel.on('publication', ({ offset }) => heard.push(offset))
    if (when !== 'wanted') {
      void client.connect()
      await pass()
    }
    void channel.subscribe()
    if (when === 'live' || when === 'idle') await pass()
    server.publish(NAME, { topic: 'x' }, { patch: true })
    if (when === 'idle') await pass()
    const room = client.state<Room>(NAME)
    const subscribed = settled(room.subscribe())
    await pass()
    expect(await subscribed).toHaveProperty('value')
    expect(room.value).toEqual({ title: 'one', topic: 'x' })
    server.publish(NAME, { topic: null }, { patch: true })
    await pass()
    expect(room.value).toEqual({ title: 'one' })
    expect(new Set(heard).size).toBe(heard.length)
    expect(heard.at(-1)).toBe(3)
    await client.close()
  })

  test('is loaded anew when a patch is for another document', async () => {
    const setup = await open()
    const { client, server, room } = setup
    server.publish(NAME, { title: 'one' })
    await pass()
    const { log } = server.channel(NAME)
    // The server passes over one, as for a client that reads too slowly.
    log.push({ offset: 2, data: { seats: { a: 'Ada' } }, time: 0, patch: true })
    server.publish(NAME, { topic: 'x' }, { patch: true })
    await pass()
    expect(room.value).toEqual({ title: 'one', seats: { a: 'Ada' }, topic: 'x' })
    expect(subscribesOf(setup)).toHaveLength(2)
    log.push({ offset: 4, data: { title: 'unseen' }, time: 0 })
    server.publish(NAME, { title: 'whole' })
    await pass()
    expect(room.value).toEqual({ title: 'whole' })
    expect(subscribesOf(setup)).toHaveLength(2)
    await client.close()
  })

  test.each([
    ['a whole document', {}],
    ['a patch', { patch: true }],
  ])('is loaded anew when %s of another epoch makes up for all before it', async (_, how) => {
    const { client, server, room } = await open()
    server.publish(NAME, { title: 'one' })
    await pass()
    server.channel(NAME).epoch = 'another'
    server.channel(NAME).log.push({ offset: 2, data: { title: 'two' }, time: 0, ...how })
    server.say({
      type: 'subscribed',
      channel: NAME,
      position: { epoch: 'another', offset: 2 },
      recovered: true,
      publications: server.channel(NAME).log.slice(1),
    })
    await pass()
    expect([room.value, room.position]).toEqual([{ title: 'two' }, { epoch: 'another', offset: 2 }])
    await client.close()
  })

  test('is gone with the subscription, and there again with the next', async () => {
    const { client, server, room } = await open()
    server.publish(NAME, { title: 'one' })
    await pass()
    await Promise.all([room.unsubscribe(), pass()])
    expect([room.value, room.position]).toEqual([undefined, undefined])
    server.publish(NAME, { title: 'two' }, { patch: true })
    void room.subscribe()
    await pass()
    expect(room.value).toEqual({ title: 'two' })
    await client.close()
  })
})

describe('after a cut', () => {
  test('what was missed is patched in, change by change', async () => {
    const { client, server, room, changes } = await open()
    server.publish(NAME, { title: 'one', topic: 'x' })
    await pass()
    server.cut()
    server.publish(NAME, { topic: null }, { patch: true })
    server.publish(NAME, { seats: { a: 'Ada' } }, { patch: true })
    expect(room.value).toEqual({ title: 'one', topic: 'x' })
    await pass(1000)
    expect(changes.map(({ value }) => value)).toEqual([
      { title: 'one', topic: 'x' },
      { title: 'one' },
      { title: 'one', seats: { a: 'Ada' } },
    ])
    await client.close()
  })

  test('a document whose changes are no longer kept is replaced', async () => {
    const { client, server, room, changes } = await open()
    server.publish(NAME, { title: 'one', topic: 'x' })
    await pass()
    server.historySize = 1
    server.cut()
    server.publish(NAME, { topic: null }, { patch: true })
    server.publish(NAME, { title: 'two' }, { patch: true })
    await pass(1000)
    expect(room.value).toEqual({ title: 'two' })
    expect(changes).toHaveLength(2)
    expect(changes[1]).not.toHaveProperty('patch')
    await client.close()
  })

  test('a server that has lost everything is believed', async () => {
    const { client, server, room, changes } = await open()
    server.publish(NAME, { title: 'one' })
    await pass()
    server.forget(true)
    await pass(1000)
    expect(changes.at(-1)).toMatchObject({ value: undefined, previous: { title: 'one' } })
    server.publish(NAME, { title: 'new' })
    await pass()
    expect(room.value).toEqual({ title: 'new' })
    await client.close()
  })
})

describe('[D3] a write', () => {
  test('is made on the version that is here, and is in the value when it resolves', async () => {
    const { client, server, room } = await open()
    const set = settled(room.set({ title: 'one' }).then(() => room.value))
    await pass()
    expect(await set).toEqual({ value: { title: 'one' } })
    const patched = settled(room.patch({ topic: 'x' }))
    await pass()
    expect(await patched).toMatchObject({ value: { position: server.position(NAME) } })
    const removed = settled(room.patch({ topic: null }))
    await pass()
    await removed
    expect(room.value).toEqual({ title: 'one' })
    expect(server.received.filter(({ type }) => type === 'publish')).toMatchObject([
      { data: { title: 'one' }, ifPosition: { epoch: 'epoch-2', offset: 0 } },
      { data: { topic: 'x' }, patch: true, ifPosition: { offset: 1 } },
      { data: { topic: null }, patch: true, ifPosition: { offset: 2 } },
    ])
    await client.close()
  })

  test('on a version that is gone is refused with the fresh document, which is the value at once', async () => {
    const { client, server, room, changes } = await open()
    server.publish(NAME, { title: 'one' })
    await pass()
    // The server has it; its publication is still on its way to this client.
    const { epoch, log } = server.channel(NAME)
    log.push({ offset: 2, data: { topic: 'theirs' }, time: 0, patch: true })
    const outcome = settled(room.patch({ topic: 'mine' }))
    await pass()
    const { error } = (await outcome) as { error: ClientError }
    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({
      code: 'conflict',
      retryable: false,
      document: { title: 'one', topic: 'theirs' },
      position: { epoch, offset: 2 },
    })
    expect([room.value, room.position]).toEqual([error.document, error.position])
    server.tell(NAME, { type: 'publication', channel: NAME, offset: 2, data: { topic: 'theirs' }, time: 0, patch: true })
    await pass()
    expect(changes.map(({ value }) => value)).toEqual([{ title: 'one' }, { title: 'one', topic: 'theirs' }])
    const again = settled(room.patch({ topic: 'mine' }))
    await pass()
    expect(await again).toHaveProperty('value')
    expect(room.value).toEqual({ title: 'one', topic: 'mine' })
    await client.close()
  })

  test('that is forced looks at no version', async () => {
    const { client, server } = harness()
    const room = client.state<Room>(NAME)
    expect(await settled(room.set({ title: 'one' }))).toMatchObject({ error: { code: 'not_subscribed' } })
    const forced = settled(
      Promise.all([room.set({ title: 'one' }, { force: true }), room.patch({ topic: 'x' }, { force: true })]),
    )
    await pass()
    expect(await forced).toHaveProperty('value')
    expect(server.document(NAME)).toEqual({ title: 'one', topic: 'x' })
    for (const message of server.received.filter(({ type }) => type === 'publish'))
      expect(message).not.toHaveProperty('ifPosition')
    await client.close()
  })

  test('that was carried out before the line was cut is no conflict with itself', async () => {
    const { client, server, room } = await open()
    let isCut = false
    const receive = server.receive.bind(server)
    server.receive = (line, message) => {
      if (isCut || message.type !== 'publish') return receive(line, message)
      isCut = true
      server.publish(message.channel, message.data, message)
      line.cut()
    }
    const outcome = settled(room.set({ title: 'one' }))
    await pass(1000)
    expect(await outcome).toMatchObject({ value: { position: { offset: 1 } } })
    expect(server.count('publish')).toBe(1)
    expect(room.value).toEqual({ title: 'one' })
    expect(server.channel(NAME).log).toHaveLength(1)
    await client.close()
  })

  test('in any channel may name a position', async () => {
    const { client, server } = harness()
    const channel = client.channel<number>('c')
    const { epoch } = server.channel('c')
    const outcomes = [0, 0].map((offset) => settled(channel.publish(1, { ifPosition: { epoch, offset } })))
    await pass()
    expect(await outcomes[0]).toHaveProperty('value')
    expect(await outcomes[1]).toMatchObject({ error: { code: 'conflict', position: { epoch, offset: 1 }, document: undefined } })
    await client.close()
  })
})

describe('update', () => {
  test('computes from the newest document until nobody is in its way', async () => {
    const { server, client } = harness()
    const counter = client.state<{ count: number }>('state:counter')
    let rivals = 3
    const seen: unknown[] = []
    const outcome = settled(
      counter.update((value) => {
        seen.push(value?.count)
        if (rivals-- > 0) server.publish('state:counter', { count: (value?.count ?? 0) + 10 })
        return { count: (value?.count ?? 0) + 1 }
      }),
    )
    await pass()
    expect(await outcome).toMatchObject({ value: { position: { offset: 4 } } })
    expect(seen).toEqual([undefined, 10, 20, 30])
    expect(server.document('state:counter')).toEqual({ count: 31 })
    expect(server.count('unsubscribe')).toBe(1)
    await client.close()
  })

  test('of a slow function is made on the version that it has read', async () => {
    const { server, client, room } = await open()
    server.publish(NAME, { title: 'one' })
    await pass()
    const outcome = settled(
      room.update(async (value) => {
        await pass(10)
        if (value?.topic === undefined) server.publish(NAME, { topic: 'theirs' }, { patch: true })
        await pass(10)
        return { title: `${value?.title}!`, ...(value?.topic && { topic: value.topic }) }
      }),
    )
    await pass(1000)
    expect(await outcome).toHaveProperty('value')
    expect(room.value).toEqual({ title: 'one!', topic: 'theirs' })
    await client.close()
  })

  test('gives up after maxAttempts, and when its function throws', async () => {
    const { server, client, room } = await open()
    const change = vi.fn((value: Room | undefined) => {
      server.publish(NAME, { title: 'theirs' })
      return value ?? { title: 'mine' }
    })
    const outcomes = [settled(room.update(change, { maxAttempts: 2 }))]
    await pass()
    outcomes.push(settled(room.update(() => Promise.reject(new Error('no')))))
    await pass()
    expect(change).toHaveBeenCalledTimes(2)
    expect(await outcomes[0]).toMatchObject({ error: { code: 'conflict', document: { title: 'theirs' } } })
    expect(await outcomes[1]).toMatchObject({ error: { message: 'no' } })
    await client.close()
  })
})

describe('a for await loop', () => {
  test('has the value that is there, then each that follows, and leaves at its end', async () => {
    const { client, server } = harness()
    server.publish(NAME, { title: 'one' })
    const titles: string[] = []
    const done = (async () => {
      for await (const { title } of client.state<Room>(NAME)) if (titles.push(title) === 3) break
    })()
    await pass()
    for (const title of ['two', 'three', 'four']) {
      server.publish(NAME, { title }, { patch: true })
      await pass()
    }
    await done
    expect(titles).toEqual(['one', 'two', 'three'])
    expect(server.count('unsubscribe')).toBe(1)
    await client.close()
  })

  test('that is slow goes on with the newest', async () => {
    const { client, server } = harness()
    const counts: number[] = []
    const done = (async () => {
      for await (const count of client.state<number>(NAME)) {
        counts.push(count)
        await pass(10)
      }
    })()
    await pass()
    server.publish(NAME, 0)
    await pass()
    for (let count = 1; count < 5000; count++) server.publish(NAME, count)
    await pass(100)
    expect(counts).toEqual([0, 4999])
    void client.close()
    await pass(1000)
    await done
  })

  test('throws what the server says', async () => {
    const { client, server } = harness()
    server.intercept = (message) => (message.type === 'subscribe' ? refuse(message, 'permission_denied') : undefined)
    const done = settled(
      (async () => {
        for await (const _ of client.state(NAME));
      })(),
    )
    await pass()
    expect(await done).toMatchObject({ error: { code: 'permission_denied' } })
    await client.close()
  })
})

const move = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('patch' as const), who: fc.nat(2), name: fc.constantFrom('a', 'b', 'c') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('set' as const), who: fc.nat(2), name: fc.constantFrom('a', 'b', 'c') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), who: fc.nat(2), name: fc.constantFrom('a', 'b', 'c') }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'cut' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('history' as const), size: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'forget' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(1500) }) },
)

test('[D1] whatever is written, cut and lost, everyone ends with the document of the server', async () => {
  await fc.assert(
    fc
      .asyncProperty(fc.array(move, { maxLength: 50 }), async (moves) => {
        const { client, server, errors } = harness({ transports: ['websocket'], maxAttempts: Number.POSITIVE_INFINITY })
        const rooms = [0, 1].map(() => client.state<Record<string, unknown>>(NAME))
        for (const room of rooms) void room.subscribe()
        rooms[0]?.on('change', ({ value }) => void freeze(value))
        let count = 0
        for (const step of moves) {
          if (step.kind === 'cut') client.interrupt()
          else if (step.kind === 'history') server.historySize = step.size
          else if (step.kind === 'forget') server.forget(true)
          else if (step.kind === 'pass') await pass(step.ms)
          else {
            const data = { [step.name]: step.kind === 'remove' ? null : { count: ++count } }
            const room = rooms[step.who]
            if (!room) server.publish(NAME, data, { patch: step.kind !== 'set' })
            else void settled(step.kind === 'set' ? room.set(data) : room.patch(data))
          }
        }
        await pass(120_000)
        for (const room of rooms) {
          expect(room.value).toEqual(server.document(NAME))
          expect(room.position).toEqual(server.position(NAME))
        }
        expect(errors).toEqual([])
        void client.close()
        await pass(5000)
        expect(vi.getTimerCount()).toBe(0)
      })
      .beforeEach(() => {
        vi.useRealTimers()
        vi.useFakeTimers()
      }),
    { numRuns: 60, endOnFailure: true },
  )
}, 60_000)
