import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ClientError } from './client-error.ts'
import type { SubscribedEvent } from './session/subscription.ts'
import { refuse } from './testing/fake-server.ts'
import { harness, pass, settled } from './testing/harness.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const subscribeRequests = ({ server }: ReturnType<typeof harness>) =>
  server.received.flatMap((message) =>
    message.type === 'subscribe' ? [message] : message.type === 'connect' ? (message.subscriptions ?? []) : [],
  )

/** A channel whose first `unsubscribe` was refused: the client has sent too much. */
const leftTooOften = async () => {
  const { client, server } = harness()
  const channel = client.channel('c')
  await Promise.all([channel.subscribe(), pass()])
  server.intercept = (message) =>
    message.type === 'unsubscribe' && server.count('unsubscribe') === 1
      ? refuse(message, 'rate_limited', { channel: 'c', retryable: true, retryAfterMs: 1000 })
      : undefined
  await Promise.all([channel.unsubscribe(), pass()])
  return { client, server, channel }
}

describe('one subscription', () => {
  test('is shared by all channels of the same name, and ends with the last', async () => {
    const setup = harness()
    const { client, server } = setup
    const [first, second] = [client.channel('c'), client.channel('c')]
    const heard: string[] = []
    first.on('publication', ({ data }) => heard.push(`first ${data}`))
    second.on('publication', ({ data }) => heard.push(`second ${data}`))
    const both = [first.subscribe(), second.subscribe(), second.subscribe()]
    await pass()
    await Promise.all(both)
    server.publish('c', 1)
    await pass()
    expect(subscribeRequests(setup)).toHaveLength(1)
    expect(heard).toEqual(['first 1', 'second 1'])
    await Promise.all([first.unsubscribe(), pass()])
    expect(server.count('unsubscribe')).toBe(0)
    await Promise.all([second.unsubscribe(), second.unsubscribe(), pass()])
    expect(server.count('unsubscribe')).toBe(1)
    server.publish('c', 2)
    await pass()
    expect(heard).toHaveLength(2)
    await client.close()
  })

  test('cannot be two kinds of subscription at once', async () => {
    const { client } = harness()
    const tagged = client.channel('c', { tags: { a: '1', b: '2' } })
    void tagged.subscribe()
    await pass()
    const others = [
      client.channel('c'),
      client.channel('c', { tags: { a: '2' } }),
      client.channel('c', { tags: { b: '2', a: '1' }, presence: true }),
    ]
    for (const other of others) expect(await settled(other.subscribe())).toMatchObject({ error: { code: 'options_conflict' } })
    expect(await settled(client.channel('c', { tags: { b: '2', a: '1' } }).subscribe())).toHaveProperty('value')
    await client.close()
  })

  test('asks for what its options say', async () => {
    const setup = harness()
    const { client } = setup
    const since = { epoch: 'e', offset: 7 }
    void client.channel('c', { presence: true, tags: { a: 'b' }, token: 't', since }).subscribe()
    await pass()
    expect(subscribeRequests(setup)).toEqual([
      { channel: 'c', presence: true, tags: { a: 'b' }, token: 't', since, id: expect.any(Number) },
    ])
    await client.close()
  })

  test('that was left and joined again in one breath ends as the last wish was', async () => {
    const { client, server } = harness()
    const channel = client.channel('c')
    const heard: unknown[] = []
    const ends: unknown[] = []
    channel.on('publication', ({ data }) => heard.push(data))
    channel.on('unsubscribed', (event) => ends.push(event))
    void channel.subscribe()
    await pass()
    void channel.unsubscribe()
    void channel.subscribe()
    await pass()
    server.publish('c', 'again')
    await pass()
    expect(heard).toEqual(['again'])
    expect(ends).toEqual([{}])
    void settled(channel.subscribe())
    void channel.unsubscribe()
    await pass()
    server.publish('c', 'gone')
    await pass()
    expect(heard).toEqual(['again'])
    await client.close()
  })

  test.each(['again before the line is cut', 'again while the line is down'])(
    'that was left and joined %s ends as the last wish was',
    async (when) => {
      const { client, server } = harness()
      const channel = client.channel('c')
      const heard: unknown[] = []
      channel.on('publication', ({ data }) => heard.push(data))
      void channel.subscribe()
      await pass()
      if (when === 'again while the line is down') client.interrupt()
      void channel.unsubscribe()
      void channel.subscribe()
      client.interrupt()
      await pass(1000)
      server.publish('c', 'again')
      await pass()
      expect(heard).toEqual(['again'])
      await client.close()
    },
  )

  test('that is joined again by whoever is told of its end is live', async () => {
    const { client, server } = harness()
    const channel = client.channel('c')
    const heard: unknown[] = []
    channel.on('publication', ({ data }) => heard.push(data))
    void channel.subscribe()
    await pass()
    const stop = channel.on('unsubscribed', () => void channel.subscribe())
    void channel.unsubscribe()
    stop()
    await pass()
    server.publish('c', 'again')
    await pass()
    expect(heard).toEqual(['again'])
    await client.close()
  })

  test('that was left before it was answered never becomes live', async () => {
    const { client, server } = harness()
    void client.connect()
    await pass()
    const channel = client.channel('c')
    const subscribed = vi.fn()
    channel.on('subscribed', subscribed)
    const outcome = settled(channel.subscribe())
    void channel.unsubscribe()
    expect(await outcome).toMatchObject({ error: { code: 'not_subscribed' } })
    await pass()
    expect(subscribed).not.toHaveBeenCalled()
    client.interrupt()
    await pass(1000)
    expect(server.received.filter(({ type }) => type === 'connect').at(-1)).toMatchObject({ subscriptions: [] })
    await client.close()
  })

  test('that was left while the line was down is left on the server as well', async () => {
    const { client, server } = harness()
    const channel = client.channel('c')
    void channel.subscribe()
    await pass()
    client.interrupt()
    await channel.unsubscribe()
    await pass(1000)
    expect(server.count('unsubscribe')).toBe(1)
    await client.close()
  })

  test('whose leaving is refused for now is left later', async () => {
    const { client, server, channel } = await leftTooOften()
    await pass(2100)
    expect(server.count('unsubscribe')).toBe(2)
    await pass(60_000)
    expect(server.count('unsubscribe')).toBe(2)
    expect(channel.position).toBeUndefined()
    await client.close()
  })

  test('whose leaving is refused for now stays left when the server tells of it meanwhile', async () => {
    const { client, server, channel } = await leftTooOften()
    server.say({ type: 'subscribed', channel: 'c', position: { epoch: 'e', offset: 7 }, recovered: true })
    await pass(2100)
    expect(server.count('unsubscribe')).toBe(2)
    expect(channel.position).toBeUndefined()
    await client.close()
  })

  test('whose leaving is refused for now keeps no client that is closed', async () => {
    const { client } = await leftTooOften()
    await Promise.all([client.close(), pass()])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('whose leaving is refused for now is kept when it is joined again meanwhile', async () => {
    const { client, server, channel } = await leftTooOften()
    await Promise.all([channel.subscribe(), pass()])
    await pass(60_000)
    expect(server.count('unsubscribe')).toBe(1)
    expect(channel.position).toBeDefined()
    await client.close()
  })

  test('of which nobody wants to hear leaves nothing behind', async () => {
    const { client } = harness()
    const channel = client.channel('c')
    const stop = channel.on('publication', () => {})
    void channel.subscribe()
    await pass()
    await Promise.all([channel.unsubscribe(), pass()])
    stop()
    stop()
    expect(channel.position).toBeUndefined()
    await client.close()
  })
})

describe('after a cut', () => {
  const watched = async () => {
    const setup = harness({ transports: ['websocket'] })
    const channel = setup.client.channel<unknown>('c')
    const heard: unknown[] = []
    const events: SubscribedEvent[] = []
    channel.on('subscribed', (event) => events.push(event))
    channel.on('publication', ({ data }) => heard.push(data))
    void channel.subscribe()
    await pass()
    return { ...setup, channel, heard, events }
  }

  test('what was missed comes first, once, in order', async () => {
    const { client, server, channel, heard, events } = await watched()
    server.publish('c', 1)
    await pass()
    server.cut()
    server.publish('c', 2)
    server.publish('c', 3)
    await pass(1000)
    server.publish('c', 4)
    await pass()
    expect(heard).toEqual([1, 2, 3, 4])
    expect(events).toEqual([
      { position: { epoch: 'epoch-2', offset: 0 }, recovered: false, wasRecovering: false },
      { position: { epoch: 'epoch-2', offset: 3 }, recovered: true, wasRecovering: true },
    ])
    expect(channel.position).toEqual({ epoch: 'epoch-2', offset: 4 })
    await client.close()
  })

  test('a history that was lost is told, and what is new is heard whatever its offset', async () => {
    const { client, server, heard, events } = await watched()
    for (let i = 1; i <= 5; i++) server.publish('c', i)
    await pass()
    server.forget(true)
    server.cut()
    await pass(1000)
    expect(events.at(-1)).toMatchObject({ recovered: false, wasRecovering: true })
    server.publish('c', 'new')
    await pass()
    expect(heard).toEqual([1, 2, 3, 4, 5, 'new'])
    await client.close()
  })

  test('a server that was interrupted and has lost something says so without being asked', async () => {
    const { client, server, heard, events } = await watched()
    server.publish('c', 1)
    await pass()
    const { epoch } = server.channel('c')
    server.say({ type: 'subscribed', channel: 'c', position: { epoch, offset: 4 }, recovered: false })
    server.tell('c', { type: 'publication', channel: 'c', offset: 5, data: 5, time: 0 })
    await pass()
    expect(events.at(-1)).toEqual({ position: { epoch, offset: 4 }, recovered: false, wasRecovering: true })
    expect(heard).toEqual([1, 5])
    await client.close()
  })

  test('a server that recovers more than was asked for doubles nothing', async () => {
    const { client, server, heard } = await watched()
    server.publish('c', 1)
    server.publish('c', 2)
    await pass()
    const { epoch, log } = server.channel('c')
    server.say({
      type: 'subscribed',
      channel: 'c',
      position: { epoch, offset: 3 },
      recovered: true,
      publications: [...log, { ...log[0], offset: 3, data: 3 }],
    })
    await pass()
    expect(heard).toEqual([1, 2, 3])
    await client.close()
  })

  test('a publication that comes twice is heard once', async () => {
    const { client, server, heard } = await watched()
    server.publish('c', 'one')
    server.say({ type: 'publication', channel: 'c', offset: 1, data: 'one', time: 0 })
    await pass()
    expect(heard).toEqual(['one'])
    await client.close()
  })

  test('a listener that throws keeps nobody else from hearing, and the platform is told', async () => {
    const { client, server, channel, heard } = await watched()
    const thrown: unknown[] = []
    vi.stubGlobal('queueMicrotask', (run: () => void) => {
      try {
        run()
      } catch (error) {
        thrown.push(error)
      }
    })
    channel.on('publication', () => {
      throw new Error('mine')
    })
    channel.on('publication', ({ data }) => heard.push(`then ${data}`))
    server.publish('c', 1)
    await pass()
    vi.unstubAllGlobals()
    expect(heard).toEqual([1, 'then 1'])
    expect(thrown).toEqual([new Error('mine')])
    await client.close()
  })

  test('a channel that is left by a listener says nothing more of what was missed', async () => {
    const { client, server, channel, heard } = await watched()
    server.publish('c', 0)
    await pass()
    server.cut()
    for (let i = 1; i < 5; i++) server.publish('c', i)
    channel.on('publication', ({ data }) => void (data === 2 && channel.unsubscribe()))
    await pass(1000)
    expect(heard).toEqual([0, 1, 2])
    await client.close()
  })
})

describe('refusals', () => {
  test('a subscription that is not allowed is over', async () => {
    const { client, server } = harness()
    void client.connect()
    await pass()
    server.intercept = (message) => (message.type === 'subscribe' ? refuse(message, 'permission_denied') : undefined)
    const channel = client.channel('c')
    const ends: unknown[] = []
    channel.on('unsubscribed', (event) => ends.push(event))
    const outcome = settled(channel.subscribe())
    await pass()
    expect(await outcome).toMatchObject({ error: { code: 'permission_denied', retryable: false } })
    expect(ends).toEqual([{ code: 'permission_denied', reason: 'permission_denied' }])
    await pass(100_000)
    expect(server.count('subscribe')).toBe(1)
    await client.close()
  })

  test('one that can be retried is retried until it works, and those who wait are served', async () => {
    const { client, server } = harness()
    void client.connect()
    await pass()
    let left = 3
    server.intercept = (message) =>
      message.type === 'subscribe' && left-- > 0 ? refuse(message, 'broker_unavailable', { retryable: true }) : undefined
    const channel = client.channel('c')
    const errors: ClientError[] = []
    channel.on('error', (error) => errors.push(error))
    const outcome = settled(channel.subscribe())
    await pass(10_000)
    expect(await outcome).toHaveProperty('value')
    expect(errors.map(({ code }) => code)).toEqual(Array(3).fill('broker_unavailable'))
    await client.close()
  })

  test('the server can end it, and says why', async () => {
    const { client, server } = harness()
    const channel = client.channel('c')
    const ends: unknown[] = []
    channel.on('unsubscribed', (event) => ends.push(event))
    void channel.subscribe()
    await pass()
    server.say({ type: 'unsubscribed', channel: 'c', code: 'disconnected', reason: 'by the application' })
    await pass()
    expect(ends).toEqual([{ code: 'disconnected', reason: 'by the application' }])
    client.interrupt()
    await pass(1000)
    expect(server.received.filter(({ type }) => type === 'connect').at(-1)).toMatchObject({ subscriptions: [] })
    await client.close()
  })

  test('a channel token is got, renewed, and replaced when it is refused', async () => {
    const getToken = vi.fn(async (reason: string) => `token for ${reason}`)
    const setup = harness()
    const { client, server } = setup
    const channel = client.channel('c', { getToken })
    void channel.subscribe()
    await pass()
    expect(subscribeRequests(setup)).toMatchObject([{ token: 'token for connect' }])
    server.say({ type: 'unsubscribed', channel: 'c', code: 'token_expired', reason: 'over' })
    await pass()
    expect(subscribeRequests(setup).at(-1)).toMatchObject({ token: 'token for expired' })
    server.intercept = (message) => (message.type === 'subscribe' ? refuse(message, 'token_invalid') : undefined)
    const ends: unknown[] = []
    channel.on('unsubscribed', (event) => ends.push(event))
    client.interrupt()
    await pass(1000)
    expect(ends).toMatchObject([{ code: 'token_invalid' }])
    await client.close()
  })

  test('a channel token is renewed ahead of its end', async () => {
    const { client, server } = harness()
    server.intercept = (message) =>
      message.type === 'subscribe'
        ? {
            type: 'subscribed',
            ...(message.id !== undefined && { id: message.id }),
            channel: 'c',
            position: { epoch: 'e', offset: 0 },
            expiresAt: Date.now() + 100_000,
          }
        : undefined
    void client.channel('c', { getToken: async () => 't' }).subscribe()
    await pass(95_000)
    expect(server.received.filter(({ type }) => type === 'refresh')).toMatchObject([{ channel: 'c', token: 't' }])
    await client.close()
  })
})

describe('subscriptions that the server makes', () => {
  test('are heard, and resumed like the others', async () => {
    const { client, server } = harness()
    const heard: unknown[] = []
    client.channel('forced').on('publication', ({ data }) => heard.push(data))
    void client.connect()
    await pass()
    server.subscribe('forced')
    server.publish('forced', 1)
    await pass()
    client.interrupt()
    server.publish('forced', 2)
    await pass(1000)
    expect(heard).toEqual([1, 2])
    await client.close()
  })
})

describe('what the server still has of another subscription', () => {
  test('does not stand for one with other tags that is yet to be asked for', async () => {
    const setup = harness()
    const { client, server } = setup
    const old = client.channel('c', { tags: { lang: 'cs' } })
    void old.subscribe()
    await pass()
    client.interrupt()
    void old.unsubscribe()
    const getToken = () => new Promise<string>((resolve) => setTimeout(() => resolve('t'), 10_000))
    const outcome = settled(client.channel('c', { getToken }).subscribe())
    await pass(5000)
    server.say({ type: 'subscribed', channel: 'c', position: server.position('c'), recovered: false })
    await pass(10_000)
    expect(subscribeRequests(setup)).toMatchObject([{ tags: { lang: 'cs' } }, { channel: 'c', token: 't' }])
    expect(subscribeRequests(setup).at(-1)).not.toHaveProperty('tags')
    expect(await outcome).toHaveProperty('value')
    await client.close()
  })

  test('does not move the position that one is asked for with', async () => {
    const { client, server } = harness()
    void client.connect()
    await pass()
    const since = server.position('c')
    for (let i = 1; i <= 3; i++) server.publish('c', i)
    server.subscribe('c')
    await pass()
    const channel = client.channel<number>('c', { since })
    const heard: number[] = []
    channel.on('publication', ({ data }) => heard.push(data))
    server.intercept = (message) => {
      if (message.type === 'subscribe') server.publish('c', 4)
      return undefined
    }
    void channel.subscribe()
    await pass()
    expect(heard).toEqual([1, 2, 3, 4])
    await client.close()
  })

  test('is left when the one that was to take its place is refused', async () => {
    const { client, server } = harness()
    const old = client.channel('c')
    void old.subscribe()
    await pass()
    client.interrupt()
    void old.unsubscribe()
    server.intercept = (message) => (message.type === 'subscribe' ? refuse(message, 'token_invalid') : undefined)
    const outcome = settled(client.channel('c', { token: 't' }).subscribe())
    await pass(1000)
    expect(await outcome).toMatchObject({ error: { code: 'token_invalid' } })
    expect(server.count('unsubscribe')).toBe(1)
    await client.close()
  })

  test('is left when it was ended for its client, and has begun anew by what that had asked for before it heard', async () => {
    const { client, server } = harness()
    const channel = client.channel('c')
    const heard: unknown[] = []
    for (const type of ['subscribed', 'publication'] as const) channel.on(type, (event) => heard.push(event))
    void channel.subscribe()
    await pass()
    heard.length = 0
    server.intercept = (message, line) => {
      if (message.type === 'subscribe') line.deliver([{ type: 'unsubscribed', channel: 'c', code: 'disconnected' }])
      return undefined
    }
    client.interrupt()
    await pass(1000)
    server.publish('c', 'unwanted')
    await pass()
    expect(heard).toEqual([])
    expect(server.count('unsubscribe')).toBe(1)
    await client.close()
  })

  test('is left when it cannot be subscribed again', async () => {
    const { client, server } = harness()
    void client.channel('c', { token: 't' }).subscribe()
    await pass()
    server.intercept = (message) => (message.type === 'subscribe' ? refuse(message, 'token_invalid') : undefined)
    client.interrupt()
    await pass(1000)
    expect(server.count('unsubscribe')).toBe(1)
    await client.close()
  })
})

describe('many subscriptions', () => {
  test('are made with the connect as long as it stays small, the others after it', async () => {
    const setup = harness()
    const { client, server } = setup
    const names = Array.from({ length: 400 }, (_, i) => `${i} ${'x'.repeat(200)}`)
    const all = names.map((name) => client.channel(name).subscribe())
    await pass()
    await Promise.all(all)
    expect(JSON.stringify(server.received[0]).length).toBeLessThan(20_000)
    expect(subscribeRequests(setup).map(({ channel }) => channel)).toEqual(names)
    await client.close()
  })
})

describe('for await', () => {
  test('it subscribes, reads in order, and unsubscribes on break', async () => {
    const { client, server } = harness()
    const heard: number[] = []
    const done = (async () => {
      for await (const { data } of client.channel<number>('c')) if (heard.push(data) === 3) break
    })()
    await pass()
    for (let i = 0; i < 5; i++) server.publish('c', i)
    await pass()
    await done
    expect(heard).toEqual([0, 1, 2])
    expect(server.count('unsubscribe')).toBe(1)
    await client.close()
  })

  test('it ends when the client is closed, after what has arrived was read', async () => {
    const { client, server } = harness()
    const heard: number[] = []
    const done = (async () => {
      for await (const { data } of client.channel<number>('c')) {
        heard.push(data)
        await pass(10)
      }
    })()
    await pass()
    for (let i = 0; i < 3; i++) server.publish('c', i)
    await pass()
    void client.close()
    await pass(100)
    await done
    expect(heard).toEqual([0, 1, 2])
  })

  test('it throws what the server says', async () => {
    const { client, server } = harness()
    const done = settled(
      (async () => {
        for await (const _ of client.channel('c'));
      })(),
    )
    await pass()
    server.say({ type: 'unsubscribed', channel: 'c', code: 'permission_denied', reason: 'no more' })
    await pass()
    expect(await done).toMatchObject({ error: { code: 'permission_denied', message: 'no more' } })
    await client.close()
  })

  test('a loop that is too slow is told so instead of missing something', async () => {
    const { client, server } = harness()
    const heard: number[] = []
    let go = (): void => {}
    const done = settled(
      (async () => {
        for await (const { data } of client.channel<number>('c', { maxBufferedPublications: 10 })) {
          heard.push(data)
          await new Promise<void>((resolve) => {
            go = resolve
          })
        }
      })(),
    )
    await pass()
    server.publish('c', 0)
    await pass()
    for (let i = 1; i < 12; i++) server.publish('c', i)
    await pass()
    go()
    await pass()
    expect(await done).toMatchObject({ error: { code: 'buffer_overrun' } })
    expect(heard).toEqual([0])
    await client.close()
  })
})

describe('reading', () => {
  test('history and presence are typed answers', async () => {
    const { client, server } = harness()
    server.publish('c', 'x')
    const channel = client.channel<string>('c')
    const history = settled(channel.history({ limit: 1, reverse: true }))
    const presence = settled(channel.presence())
    await pass()
    expect(await history).toMatchObject({ value: { position: { offset: 1 }, publications: [{ data: 'x' }] } })
    expect(await presence).toMatchObject({ value: [{ session: expect.any(String) }] })
    expect(server.received.find(({ type }) => type === 'history')).toMatchObject({ limit: 1, reverse: true })
    await client.close()
  })

  test('join and leave are heard', async () => {
    const { client, server } = harness()
    const heard: unknown[] = []
    const channel = client.channel('c', { presence: true })
    channel.on('join', (member) => heard.push(['join', member]))
    channel.on('leave', (member) => heard.push(['leave', member]))
    void channel.subscribe()
    await pass()
    server.tell('c', { type: 'join', channel: 'c', member: { session: 's', user: 'u' } })
    server.tell('c', { type: 'leave', channel: 'c', member: { session: 's', user: 'u' } })
    await pass()
    expect(heard).toEqual([
      ['join', { session: 's', user: 'u' }],
      ['leave', { session: 's', user: 'u' }],
    ])
    await client.close()
  })
})
