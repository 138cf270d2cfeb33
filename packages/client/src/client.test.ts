import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FusewireClient } from './client.ts'
import { ClientError } from './client-error.ts'
import { fakePlatform } from './testing/fake-platform.ts'
import { FakeServer, refuse } from './testing/fake-server.ts'
import { harness, pass, settled } from './testing/harness.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('connecting', () => {
  test.each(['websocket', 'stream', 'sse', 'poll'] as const)(
    '%s: it connects, publishes, hears itself and leaves',
    async (transport) => {
      const { client, server, live } = harness({ transports: [transport] })
      const connected = settled(client.connect())
      await pass()
      expect(await connected).toMatchObject({ value: { type: 'connected', resumed: false } })
      expect(client.connection).toMatchObject({
        status: 'connected',
        transport,
        endpoint: 'https://fake.test',
        session: 'session-1',
      })
      const heard: unknown[] = []
      const channel = client.channel('news')
      channel.on('publication', ({ data }) => heard.push(data))
      void channel.subscribe()
      const published = settled(channel.publish('hello'))
      await pass()
      expect(await published).toMatchObject({ value: { position: { offset: 1 } } })
      expect(heard).toEqual(['hello'])
      void client.close()
      await pass(2000)
      expect(server.received.at(-1)).toEqual({ type: 'disconnect' })
      expect(live.size).toBe(0)
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  test('what the server is told about the client', async () => {
    const { client, server } = harness({ name: 'test', version: '1.2.3', token: 't' })
    void client.connect()
    await pass()
    expect(server.received[0]).toEqual({ type: 'connect', token: 't', name: 'test', version: '1.2.3', subscriptions: [] })
  })

  test('transports fall back in their order, and what has worked is remembered', async () => {
    const { client, server, states } = harness({}, { webSocket: 'refuse', stream: 'portal' })
    void client.connect()
    await pass()
    expect(client.connection).toMatchObject({ status: 'connected', transport: 'sse' })
    const tried = new Set(states.map(({ transport }) => transport))
    expect([...tried]).toEqual([undefined, 'websocket', 'stream', 'sse'])
    states.length = 0
    server.cut()
    await pass(1000)
    expect(client.connection).toMatchObject({ status: 'connected', transport: 'sse' })
    expect(new Set(states.map(({ transport }) => transport))).toEqual(new Set([undefined, 'sse']))
    await client.close()
  })

  test('a transport that stalls is given up after connectTimeoutMs', async () => {
    const { client } = harness({ connectTimeoutMs: 3000 }, { webSocket: 'stall', stream: 'stall' })
    void client.connect()
    await pass(2999)
    expect(client.connection).toMatchObject({ status: 'connecting', transport: 'websocket' })
    await pass(3001)
    expect(client.connection).toMatchObject({ status: 'connected', transport: 'sse' })
    await client.close()
  })

  test('the next endpoint comes before the next transport', async () => {
    const servers = { 'a.test': new FakeServer(), 'b.test': new FakeServer() }
    const platforms = {
      'a.test': fakePlatform(servers['a.test'], { webSocket: 'refuse' }),
      'b.test': fakePlatform(servers['b.test']),
    }
    const WebSocket = class {
      constructor(url: string, protocols: string[]) {
        // biome-ignore lint/correctness/noConstructorReturn: stands for one of two classes
        return new platforms[new URL(url).hostname as 'a.test'].WebSocket(url, protocols)
      }
    } as unknown as (typeof platforms)['a.test']['WebSocket']
    const client = new FusewireClient(['https://a.test', 'wss://b.test/base/'], { WebSocket })
    void client.connect()
    await pass()
    expect(client.connection).toMatchObject({ status: 'connected', transport: 'websocket', endpoint: 'https://b.test/base' })
    await client.close()
  })

  test('an endpoint that has no room is passed over in the next round', async () => {
    const servers = { 'a.test': new FakeServer(), 'b.test': new FakeServer() }
    servers['a.test'].intercept = (message) => refuse(message, 'overloaded', { retryable: true })
    const platforms = { 'a.test': fakePlatform(servers['a.test']), 'b.test': fakePlatform(servers['b.test']) }
    const WebSocket = class {
      constructor(url: string, protocols: string[]) {
        // biome-ignore lint/correctness/noConstructorReturn: stands for one of two classes
        return new platforms[new URL(url).hostname as 'a.test'].WebSocket(url, protocols)
      }
    } as unknown as (typeof platforms)['a.test']['WebSocket']
    const client = new FusewireClient(['https://a.test', 'https://b.test'], { WebSocket })
    const refused: unknown[] = []
    // The next attempt may follow at once, by its jitter.
    client.on('connection', ({ status, error }) => void (status === 'waiting' && refused.push(error?.code)))
    void client.connect()
    await pass(1000)
    expect(refused).toEqual(['overloaded'])
    expect(client.connection).toMatchObject({ status: 'connected', endpoint: 'https://b.test' })
    await client.close()
  })

  test('the attempts used up, it probes slowly, and leaves that state when the server is back', async () => {
    const { client, network, statuses, server } = harness(
      { transports: ['websocket'], maxAttempts: 3, minBackoffMs: 10, maxBackoffMs: 20, probeIntervalMs: 1000 },
      { webSocket: 'refuse' },
    )
    const connected = settled(client.connect())
    await pass(100)
    expect(await connected).toMatchObject({ error: { code: 'unreachable', retryable: true } })
    expect(client.connection).toMatchObject({ status: 'degraded', attempt: 4, error: { code: 'unreachable' } })
    expect(client.connection.retryAt).toBeGreaterThan(Date.now() + 300)
    await pass(5000)
    expect(
      statuses()
        .slice(statuses().indexOf('degraded'))
        .every((status) => status === 'degraded'),
    ).toBe(true)
    delete network.webSocket
    await pass(1500)
    expect(client.connection.status).toBe('connected')
    expect(server.openLines).toHaveLength(1)
    await client.close()
  })

  test('a platform without any of the transports is told so', async () => {
    vi.stubGlobal('EventSource', undefined)
    const { client } = harness({ transports: ['sse'], EventSource: undefined })
    expect(await settled(client.connect())).toMatchObject({ error: { code: 'unsupported_transport' } })
    expect(client.connection.status).toBe('closed')
  })

  test('what is no endpoint is refused at once', () => {
    expect(() => new FusewireClient('ftp://x')).toThrow(TypeError)
    expect(() => new FusewireClient('nonsense')).toThrow(TypeError)
    expect(() => new FusewireClient()).toThrow('an endpoint is needed')
    expect(() => new FusewireClient([])).toThrow('an endpoint is needed')
  })

  test('in a page, the default is where the page comes from', async () => {
    vi.stubGlobal('location', { origin: 'https://page.test' })
    const client = new FusewireClient(undefined, fakePlatform(new FakeServer()))
    void client.connect()
    await pass()
    expect(client.connection.endpoint).toBe('https://page.test')
    await client.close()
  })
})

describe('what the server says', () => {
  test('a goodbye is obeyed: when to come back, and whether', async () => {
    const { client, server } = harness()
    void client.connect()
    await pass()
    server.say({
      type: 'disconnect',
      code: 'server_draining',
      closeCode: 4001,
      reason: 'moving',
      reconnect: true,
      retryAfterMs: 5000,
    })
    await pass()
    expect(client.connection).toMatchObject({ status: 'waiting', error: { code: 'server_draining' } })
    await pass(4999)
    expect(server.lines).toHaveLength(1)
    await pass(1001)
    expect(client.connection.status).toBe('connected')
    server.say({ type: 'disconnect', code: 'disconnected', closeCode: 4206, reason: 'by the application', reconnect: false })
    await pass(60_000)
    expect(client.connection).toMatchObject({ status: 'closed', error: { code: 'disconnected', retryable: false } })
    expect(server.lines).toHaveLength(2)
  })

  test('what makes no sense is reported and left out, the rest is heard', async () => {
    const { client, server, errors } = harness()
    const heard: unknown[] = []
    client.channel('c').on('publication', ({ offset }) => heard.push(offset))
    void client.channel('c').subscribe()
    await pass()
    server.say(
      { type: 'publication', channel: 'c', offset: 'x' },
      null,
      { type: 'from the future', id: 1 },
      { type: 'subscribed', channel: 'c', position: { epoch: 1 } },
      { type: 'publication', channel: 'c', offset: 1, data: 0, time: 0 },
      { type: 'result', id: 999 },
      { type: 'error', id: 998, code: 'late', message: 'of what was given up', retryable: true },
      { type: 'pong' },
      { type: 'unsubscribed', channel: 'other' },
      { type: 'error', code: 'odd', message: 'of nothing', retryable: false },
    )
    await pass()
    expect(heard).toEqual([1])
    expect(errors.map((error) => (error as ClientError).code)).toEqual([...Array(4).fill('malformed_message'), 'odd'])
    expect(client.connection.status).toBe('connected')
    await client.close()
  })

  test('every message can be watched', async () => {
    const { client } = harness()
    const types: string[] = []
    client.on('message', ({ type }) => void types.push(type))
    void client.channel('c').subscribe()
    await pass()
    void client.ping()
    await pass()
    expect(types).toEqual(['connected', 'subscribed', 'pong'])
    await client.close()
  })

  test('an error that nobody listens for is shown on the console', async () => {
    const shown = vi.spyOn(console, 'error').mockReturnValue()
    const server = new FakeServer()
    const client = new FusewireClient('http://x', fakePlatform(server))
    void client.connect()
    await pass()
    server.say({ type: 'nonsense' })
    await pass()
    expect(shown.mock.calls).toEqual([[expect.any(ClientError)]])
    await client.close()
  })

  test('a refused connect that is no fault of the token is tried again when it may help', async () => {
    const { client, server } = harness({ transports: ['websocket'] })
    const answers = [{ retryable: true }, undefined]
    server.intercept = (message) => {
      const answer = message.type === 'connect' ? answers.shift() : undefined
      return answer && refuse(message, 'overloaded', answer)
    }
    void client.connect()
    await pass()
    expect(client.connection).toMatchObject({ status: 'waiting', error: { code: 'overloaded' } })
    await pass(1000)
    expect(client.connection.status).toBe('connected')
    await client.close()
  })
})

describe('the end', () => {
  test('close rejects what waits, and connect begins anew', async () => {
    const { client, server, errors } = harness({}, { webSocket: 'refuse', stream: 'refuse', sse: 'refuse', poll: 'refuse' })
    const waiting = [client.connect(), client.rpc('x'), client.channel('c').subscribe(), client.channel('c').publish(1)].map(
      settled,
    )
    await client.close()
    for (const outcome of waiting) expect(await outcome).toMatchObject({ error: { code: 'closed' } })
    expect(client.connection).toEqual({ status: 'closed' })
    expect(await settled(client.rpc('x'))).toMatchObject({ error: { code: 'closed' } })
    expect(await settled(client.channel('c').subscribe())).toMatchObject({ error: { code: 'closed' } })
    expect(errors).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
    expect(server.lines).toHaveLength(0)
    await client.close()
  })

  test('[L11] is disconnecting while the server is being told', async () => {
    const { client, server } = harness()
    const statuses: string[] = []
    void client.connect()
    await pass()
    client.on('connection', ({ status }) => void statuses.push(status))
    const waiting = settled(client.rpc('x'))
    const closed = client.close()
    expect(client.connection).toEqual({ status: 'closing' })
    expect(await waiting).toMatchObject({ error: expect.anything() })
    expect(await settled(client.rpc('x'))).toMatchObject({ error: { code: 'closed' } })
    await Promise.all([closed, pass(1000)])
    expect(server.received.at(-1)).toEqual({ type: 'disconnect' })
    expect(statuses).toEqual(['closing', 'closed'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('[L11] a client that connects again while it leaves stays', async () => {
    const { client, server } = harness()
    void client.connect()
    await pass()
    const closed = client.close()
    const connected = client.connect()
    await Promise.all([closed, connected, pass(1000)])
    expect(client.connection).toMatchObject({ status: 'connected', session: 'session-2' })
    expect(server.openLines).toHaveLength(1)
    await Promise.all([client.close(), pass(1000)])
    expect(client.connection.status).toBe('closed')
  })

  test('a client that was closed is a new session when it connects again', async () => {
    const { client, server } = harness()
    void client.connect()
    await pass()
    await Promise.all([client.close(), pass(1000)])
    void client.connect()
    await pass()
    expect(server.received.filter(({ type }) => type === 'connect').at(-1)).not.toHaveProperty('resume')
    expect(client.connection).toMatchObject({ status: 'connected', session: 'session-2' })
    await client.close()
  })

  test('a listener may close the client while it is being told', async () => {
    const { client, live } = harness()
    client.on('connection', ({ status }) => void (status === 'connected' && client.close()))
    void settled(client.connect())
    await pass(2000)
    expect(client.connection.status).toBe('closed')
    expect(live.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a listener may do anything in any state, and never sees two connections', async () => {
    const { client, server, live } = harness({ minBackoffMs: 1, maxBackoffMs: 1 })
    let left = 40
    client.on('connection', () => {
      if (left-- < 0) return
      client.interrupt()
      if (left % 3 === 0) client.useTransport(left % 2 === 0 ? 'poll' : 'websocket')
      if (left % 7 === 0) void client.close()
      void settled(client.connect())
      expect(server.openLines.length).toBeLessThanOrEqual(1)
    })
    void settled(client.connect())
    await pass(10_000)
    expect(client.connection.status).toBe('connected')
    expect(live.size).toBe(1)
    await client.close()
  })
})

describe('transports by hand', () => {
  test('another transport takes over without a gap', async () => {
    const { client, server } = harness()
    const heard: number[] = []
    const recoveries: boolean[] = []
    const channel = client.channel<number>('c')
    channel.on('publication', ({ data }) => heard.push(data))
    channel.on('subscribed', ({ recovered }) => recoveries.push(recovered))
    void channel.subscribe()
    await pass()
    for (const [i, name] of (['poll', 'sse', 'websocket', 'stream', 'auto'] as const).entries()) {
      server.publish('c', i * 2)
      client.useTransport(name)
      server.publish('c', i * 2 + 1)
      await pass(1000)
      expect(client.connection).toMatchObject({ status: 'connected', transport: name === 'auto' ? 'websocket' : name })
    }
    expect(heard).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(recoveries).toEqual([false, true, true, true, true, true])
    await client.close()
  })

  test('an interruption is mended, and the session goes on', async () => {
    const { client, server, statuses } = harness()
    void client.connect()
    await pass()
    client.interrupt()
    client.interrupt()
    await pass(1000)
    expect(client.connection).toMatchObject({ status: 'connected', session: 'session-1' })
    expect(statuses()).toContain('waiting')
    expect(server.lines).toHaveLength(2)
    await client.close()
  })
})
