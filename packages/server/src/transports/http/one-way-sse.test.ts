import {
  type Connection,
  DEVELOPMENT_RULE,
  Engine,
  MemoryBroker,
  MemoryPresence,
  MemoryRevocations,
  RpcRouter,
  RuleBook,
} from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { ENGINE_LIMITS, eventually, FakeEnvironment, noHooks } from '@fusewire/testkit'
import { type ErrorEvent, EventSource } from 'eventsource'
import { afterEach, describe, expect, it } from 'vitest'
import { HTTP_VERSIONS, HttpHarness, type HttpVersion } from '../testing/http-harness.ts'
import { createTestContext, type TestContext } from '../testing/test-context.ts'

const SSE = '/fusewire/v1/sse'

let harness: HttpHarness
let context: TestContext
let engine: Engine
/** Whether channels of `away:` have no broker. */
let isAway = true
const sources: EventSource[] = []
afterEach(async () => {
  for (const source of sources.splice(0)) source.close()
  await harness.close()
})

/** The transports in front of a true engine. Channels of `closed:` take nobody, those of `away:` have no broker. */
const start = async (version: HttpVersion, options = {}, limits = {}): Promise<void> => {
  isAway = true
  const environment = new FakeEnvironment()
  const rules = new RuleBook(DEVELOPMENT_RULE)
  rules.add('closed:*', { ...DEVELOPMENT_RULE, subscribe: 'nobody' })
  rules.add('short:*', { ...DEVELOPMENT_RULE, historySize: 2 })
  const broker = new MemoryBroker(environment)
  const subscribe = broker.subscribe.bind(broker)
  broker.subscribe = (channel) => {
    if (!isAway || !channel.startsWith('away:')) return subscribe(channel)
    throw new FusewireError('broker_unavailable')
  }
  engine = new Engine({
    broker,
    presence: new MemoryPresence(),
    authenticator: {
      authenticate: async (token) => {
        if (token === 'bad') throw new FusewireError('token_invalid')
        if (token === 'unlucky') throw new Error('no keys')
        return { capabilities: [], channels: [], ...(token && { user: token }) }
      },
      authorizeChannel: async () => {
        throw new FusewireError('token_invalid')
      },
    },
    revocations: new MemoryRevocations(environment),
    environment,
    rules,
    rpc: new RpcRouter(),
    hooks: noHooks,
    limits: { ...ENGINE_LIMITS, maxBadMessages: 10, maxPendingRequests: 256, maxChannelsPerSession: 128 },
    log: () => undefined,
    node: { node: 'node-1', version: '1' },
  })
  await engine.start()
  context = { ...createTestContext(limits), open: (connection: Connection) => engine.open(connection) } as unknown as TestContext
  harness = await HttpHarness.start(version, context, { retryMs: 20, ...options })
}

interface Seen {
  readonly source: EventSource
  readonly publications: unknown[]
  /** Named events, by name. */
  readonly events: { readonly type: string; readonly data: Record<string, unknown> }[]
  readonly errors: ErrorEvent[]
  lastEventId: string
}

const listen = (query: string, lastEventId?: string): Seen => {
  const suffix = lastEventId === undefined ? '' : `&lastEventId=${lastEventId}`
  const source = new EventSource(`${harness.origin}${SSE}?${query}${suffix}`)
  sources.push(source)
  const seen: Seen = { source, publications: [], events: [], errors: [], lastEventId: '' }
  source.onmessage = (event) => {
    seen.publications.push(JSON.parse(event.data).data)
    seen.lastEventId = event.lastEventId
  }
  for (const type of ['connected', 'subscribed', 'unsubscribed', 'join', 'leave', 'disconnect']) {
    source.addEventListener(type, (event) => {
      seen.events.push({ type, data: JSON.parse(event.data) })
      seen.lastEventId = event.lastEventId
    })
  }
  source.addEventListener('error', (event) => seen.errors.push(event as ErrorEvent))
  return seen
}
const subscribed = (seen: Seen) => seen.events.filter(({ type }) => type === 'subscribed').map(({ data }) => data)
const publish = (channel: string, data: unknown, tags?: Record<string, string>) =>
  engine.publish(channel, { data, ...(tags && { tags }) })
/** Ends every stream as a failing network would. */
const cut = (): void => {
  for (const socket of harness.sockets) socket.destroy()
}

describe.each(HTTP_VERSIONS)('the answer to a one-way request over %s', (version) => {
  const get = async (query: string, headers = {}) => {
    const exchange = harness.request('GET', `${SSE}?${query}`, { headers })
    await eventually(() => expect(exchange.status).toBeGreaterThan(0))
    return exchange
  }

  it('begins when a channel is subscribed', async () => {
    await start(version)
    const stream = await get('channel=news')
    expect(stream.status).toBe(200)
    expect(stream.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    await eventually(() =>
      expect(stream.text).toMatch(/^retry: \d+\n\nevent: connected\ndata: .*\n\nid: 1~\S+\nevent: subscribed\n/),
    )
    expect(context.traffic.sse).toMatchObject({ opened: 1, connections: 1, refused: 0 })
    stream.abort()
    await eventually(() => expect(engine.stats()).toMatchObject({ connections: 0, sessions: 0, detachedSessions: 0 }))
    expect(context.traffic.sse.connections).toBe(0)
  })

  it.each([
    ['channel=news&token=bad', 401, 'token_invalid'],
    ['channel=closed:a&channel=closed:b', 403, 'permission_denied'],
    [`channel=${'x'.repeat(256)}`, 400, 'invalid_field'],
    ['channel=', 400, 'invalid_field'],
    ['channel=with%20space', 400, 'invalid_channel'],
  ])('is an error for %s', async (query, status, code) => {
    await start(version)
    const answer = await get(query)
    await eventually(() => expect(answer.complete).toBe(true))
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.json).toMatchObject({ error: { code, retryable: false } })
    await eventually(() => expect(engine.stats().connections).toBe(0))
    expect(context.traffic.sse).toMatchObject({ opened: 0, connections: 0, refused: 1 })
  })

  it.each([
    ['channel=news&token=unlucky', 'internal_error'],
    ['channel=away:a&channel=closed:a', 'broker_unavailable'],
  ])('[T15] is a stream that says so and ends when another try can help: %s', async (query, code) => {
    await start(version)
    const answer = await get(query)
    await eventually(() => expect(answer.complete).toBe(true))
    expect(answer.status).toBe(200)
    expect(answer.text).toMatch(/^retry: /)
    expect(answer.text).toContain(`"code":"${code}"`)
    await eventually(() => expect(engine.stats().connections).toBe(0))
  })

  it('is a stream as long as one of the channels can be had', async () => {
    await start(version)
    const stream = await get('channel=closed:a&channel=news')
    expect(stream.status).toBe(200)
    await eventually(() => expect(stream.text).toMatch(/event: error\ndata: .*"code":"permission_denied".*"channel":"closed:a"/))
    expect(stream.complete).toBe(false)
  })

  it('[T15] has a channel that was refused for now as soon as it can be had', async () => {
    await start(version)
    const stream = await get('channel=away:a&channel=news')
    const refusals = () => stream.text.match(/event: error\ndata: .*"code":"broker_unavailable".*"channel":"away:a"/gu) ?? []
    await eventually(() => expect(refusals().length).toBeGreaterThan(1))
    isAway = false
    await eventually(() => expect(stream.text).toMatch(/event: subscribed\ndata: .*"channel":"away:a"/))
    await publish('away:a', 1)
    await eventually(() => expect(stream.text).toMatch(/"type":"publication","channel":"away:a"/))
    expect(stream.complete).toBe(false)
    const asked = refusals().length
    await publish('news', 2)
    await eventually(() => expect(stream.text).toMatch(/"type":"publication","channel":"news"/))
    expect(refusals()).toHaveLength(asked)
  })

  it('[T14] tells a client that brings a position which cannot be read that something may be missing', async () => {
    await start(version)
    await publish('news', 1)
    for (const id of ['42', '1~.e~aaaaaa1']) {
      const stream = await get('channel=news', { 'last-event-id': id })
      await eventually(() => expect(stream.text).toMatch(/event: subscribed\ndata: .*"recovered":false/))
    }
    const fresh = await get('channel=news')
    await eventually(() => expect(fresh.text).toContain('event: subscribed'))
    expect(fresh.text).not.toContain('recovered')
  })

  it('is nothing when a stream comes back that was told not to', async () => {
    await start(version)
    const stream = await get('channel=news&token=ann')
    await eventually(() => expect(stream.text).toContain('event: subscribed'))
    engine.disconnectUser({ user: 'ann' })
    await eventually(() => expect(stream.complete).toBe(true))
    const lastEventId = [...stream.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1]
    const back = await get('channel=news&token=ann', { 'last-event-id': lastEventId })
    expect(back.status).toBe(204)
    // A page that decides to begin anew may.
    expect((await get(`channel=news&token=ann&lastEventId=${lastEventId}`)).status).toBe(200)
  })

  it('is cut when the client reads too slowly', async () => {
    await start(version, {}, { maxBufferedBytes: 100_000 })
    const stream = await get('channel=news')
    await eventually(() => expect(stream.text).toContain('event: subscribed'))
    stream.pause()
    await eventually(() => {
      for (let i = 0; i < 20; i++) void publish('news', 'x'.repeat(50_000))
      expect(engine.stats().connections).toBe(0)
    })
  })

  it('can be had with a token in the header', async () => {
    await start(version)
    const stream = await get('channel=news', { authorization: 'Bearer ann' })
    await eventually(() => expect(stream.text).toMatch(/event: connected\ndata: .*"user":"ann"/))
  })
})

describe('one-way SSE to EventSource', () => {
  it('[T13] brings publications to onmessage, and everything else as named events', async () => {
    await start('HTTP/1.1')
    const seen = listen('channel=news&channel=chat&presence=true')
    await eventually(() => expect(subscribed(seen)).toHaveLength(2))
    await publish('news', 'hello')
    await publish('chat', { text: '✓' })
    await eventually(() => expect(seen.publications).toEqual(['hello', { text: '✓' }]))
    expect(seen.events[0]).toMatchObject({ type: 'connected', data: { node: 'node-1', resumed: false } })
    const other = listen('channel=chat')
    await eventually(() => expect(seen.events.at(-1)).toMatchObject({ type: 'join', data: { channel: 'chat' } }))
    other.source.close()
  })

  it('[T12] filters by the tags in the URL', async () => {
    await start('HTTP/1.1')
    const seen = listen('channel=news&tag.level=high')
    await eventually(() => expect(subscribed(seen)).toHaveLength(1))
    await publish('news', 'low', { level: 'low' })
    await publish('news', 'high', { level: 'high' })
    await eventually(() => expect(seen.publications).toEqual(['high']))
  })

  it('[T14] goes on after every cut exactly where it was, in all channels', async () => {
    await start('HTTP/1.1')
    const seen = listen('channel=a&channel=b')
    await eventually(() => expect(subscribed(seen)).toHaveLength(2))
    const sent: string[] = []
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 7; i++) {
        const channel = (round * 7 + i) % 3 === 0 ? 'b' : 'a'
        await publish(channel, `${channel} ${sent.length}`)
        sent.push(`${channel} ${sent.length}`)
        // Somewhere in the middle, once before and once after the publications have left.
        if (i === round % 7) cut()
        if (i % 2 === 0) await new Promise(setImmediate)
      }
      await eventually(() => expect(seen.publications).toHaveLength(sent.length))
    }
    for (const channel of ['a', 'b']) {
      const of = (all: readonly unknown[]) => all.filter((data) => String(data).startsWith(channel))
      expect(of(seen.publications)).toEqual(of(sent))
    }
    expect(subscribed(seen).length).toBeGreaterThan(10)
    expect(
      subscribed(seen)
        .slice(2)
        .every(({ recovered }) => recovered === true),
    ).toBe(true)
  }, 30_000)

  it('[T14] goes on where a page says that it was', async () => {
    await start('HTTP/1.1')
    const first = listen('channel=a')
    await eventually(() => expect(subscribed(first)).toHaveLength(1))
    await publish('a', 1)
    await eventually(() => expect(first.publications).toEqual([1]))
    first.source.close()
    await publish('a', 2)
    const second = listen('channel=b&channel=a', first.lastEventId)
    await eventually(() => expect(second.publications).toEqual([2]))
    const recovered = Object.fromEntries(subscribed(second).map((data) => [data.channel, data.recovered]))
    expect(recovered).toEqual({ a: true, b: undefined })
  })

  it('says when more was missed than is kept', async () => {
    await start('HTTP/1.1')
    const seen = listen('channel=short:a')
    await eventually(() => expect(subscribed(seen)).toHaveLength(1))
    const before = seen.lastEventId
    seen.source.close()
    for (let i = 0; i < 5; i++) await publish('short:a', i)
    const back = listen('channel=short:a', before)
    await eventually(() => expect(subscribed(back)).toMatchObject([{ recovered: false, position: { offset: 5 } }]))
    await publish('short:a', 'new')
    await eventually(() => expect(back.publications).toEqual(['new']))
  })

  it('[T15] stays away after a fatal refusal', async () => {
    await start('HTTP/1.1')
    const seen = listen('channel=news&token=bad')
    await eventually(() => expect(seen.errors.map(({ code }) => code)).toEqual([401]))
    expect(seen.source.readyState).toBe(EventSource.CLOSED)
  })

  it('[T15] stays away after it was disconnected for good', async () => {
    await start('HTTP/1.1')
    const seen = listen('channel=news&token=ann')
    await eventually(() => expect(subscribed(seen)).toHaveLength(1))
    engine.disconnectUser({ user: 'ann' })
    await eventually(() => expect(seen.source.readyState).toBe(EventSource.CLOSED))
    expect(seen.events.at(-1)).toMatchObject({ type: 'disconnect', data: { code: 'disconnected', reconnect: false } })
    expect(engine.stats().connections).toBe(0)
  })

  it('comes back to a server that leaves', async () => {
    await start('HTTP/1.1')
    const seen = listen('channel=news')
    await eventually(() => expect(subscribed(seen)).toHaveLength(1))
    await engine.close()
    await eventually(() => expect(seen.events.at(-1)).toMatchObject({ type: 'disconnect', data: { code: 'server_draining' } }))
    await eventually(() => expect(seen.source.readyState).toBe(EventSource.CONNECTING))
  })
})
