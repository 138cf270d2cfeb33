import { eventually } from '@fusewire/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { HTTP_VERSIONS, HttpHarness, type RequestInit, type TestExchange } from '../testing/http-harness.ts'
import { createTestContext, type TestContext } from '../testing/test-context.ts'

let harness: HttpHarness
let context: TestContext
let now: number
afterEach(() => harness.close())

const echo = (data: unknown): string => JSON.stringify({ type: 'echo', data })

describe.each(HTTP_VERSIONS)('long polling over %s', (version) => {
  let connection: string

  const open = async (body = '', limits = {}): Promise<TestExchange> => {
    now = 100_000
    context = createTestContext(limits)
    harness = await HttpHarness.start(version, context, { pollTimeoutMs: 25_000, pollGapMs: 10_000, now: () => now })
    const first = harness.request('POST', '/fusewire/v1/poll', { body })
    await eventually(() => expect(first.complete).toBe(true))
    connection = String(first.messages[0]?.connection)
    return first
  }
  const poll = (init: RequestInit = { body: '' }): TestExchange =>
    harness.request('POST', `/fusewire/v1/poll?connection=${connection}`, init)
  /** A poll that is waiting at the server. */
  const waiting = async (init?: RequestInit): Promise<TestExchange> => {
    const signs = peer()?.signs ?? 0
    const exchange = poll(init)
    await eventually(() => expect(peer()?.signs).toBe(signs + 1))
    return exchange
  }
  const answered = (exchange: TestExchange) => eventually(() => expect(exchange.complete).toBe(true))
  const peer = () => context.engine.peers[0]
  const pass = (ms: number): void => {
    now += ms
    harness.transports.tick(now)
  }

  it('[T8] answers the first poll at once, with the name of the connection and what its body led to', async () => {
    const first = await open(`${echo(1)}\n${echo(2)}\n`)
    expect(first.status).toBe(200)
    expect(first.headers).toMatchObject({
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': String(first.text.length),
    })
    expect(first.messages).toEqual([
      { type: 'open', connection: expect.stringMatching(/^node-1\.[\w-]{24}$/) },
      { type: 'echo', data: 1 },
      { type: 'echo', data: 2 },
    ])
    expect(context.traffic.poll).toMatchObject({ opened: 1, connections: 1, bytesIn: 2 * (echo(1).length + 1) })
    expect(context.traffic.poll.bytesOut).toBe(first.text.length)
  })

  it('[T9] lets a poll wait for messages, and answers it with all of one turn', async () => {
    await open()
    const exchange = await waiting()
    expect(exchange.status).toBe(0)
    peer()?.send({ type: 'pong', id: 1 })
    peer()?.send({ type: 'pong', id: 2 })
    await answered(exchange)
    expect(exchange.messages.map(({ id }) => id)).toEqual([1, 2])
  })

  it('keeps messages for the next poll, in order', async () => {
    await open()
    peer()?.send({ type: 'pong', id: 1 })
    await new Promise(setImmediate)
    peer()?.send({ type: 'pong', id: 2 })
    peer()?.send({ type: 'pong', id: 3 })
    const ids: unknown[] = []
    while (ids.length < 3) {
      const exchange = poll()
      await answered(exchange)
      ids.push(...exchange.messages.map(({ id }) => id))
    }
    expect(ids).toEqual([1, 2, 3])
  })

  it('[T9] answers an empty poll when its time is over', async () => {
    await open()
    const exchange = await waiting()
    pass(24_999)
    expect(exchange.status).toBe(0)
    pass(1)
    await answered(exchange)
    expect([exchange.status, exchange.text]).toEqual([200, ''])
    expect(peer()?.ends).toBe(0)
    const next = await waiting()
    peer()?.send({ type: 'pong' })
    await answered(next)
    expect(next.messages).toEqual([{ type: 'pong' }])
  })

  it('[T9] ends an older poll empty when a newer one comes', async () => {
    await open()
    const older = await waiting()
    const newer = await waiting()
    await answered(older)
    expect([older.status, older.text]).toEqual([200, ''])
    peer()?.send({ type: 'pong' })
    await answered(newer)
    expect(newer.messages).toEqual([{ type: 'pong' }])
  })

  it('lets a client that went away from an unanswered poll come again, but not for long', async () => {
    await open()
    const gone = await waiting({ body: '', alone: true })
    gone.abort()
    await eventually(() => expect(harness.sockets.size).toBeLessThanOrEqual(1))
    await new Promise(setImmediate)
    peer()?.send({ type: 'pong' })
    const next = poll()
    await answered(next)
    expect(next.messages).toEqual([{ type: 'pong' }])
    pass(9_999)
    expect(peer()?.ends).toBe(0)
    pass(1)
    await eventually(() => expect(peer()?.ends).toBe(1))
    expect(context.traffic.poll.connections).toBe(0)
  })

  it('[T9] does not know a connection that nobody polled', async () => {
    await open()
    pass(10_000)
    const late = poll()
    await answered(late)
    expect(late.status).toBe(404)
    expect(late.json).toMatchObject({ error: { code: 'unknown_connection', retryable: false } })
    await eventually(() => expect(peer()?.ends).toBe(1))
    const send = harness.request('POST', `/fusewire/v1/send?connection=${connection}&seq=1`, { body: echo(1) })
    await answered(send)
    expect(send.status).toBe(404)
  })

  it('tells a waiting client why the connection ends', async () => {
    await open()
    const exchange = await waiting()
    peer()?.send({ type: 'disconnect', code: 'server_draining', closeCode: 4001, reason: '', reconnect: true })
    peer()?.connection.close('server_draining', '')
    peer()?.connection.close('server_draining', '')
    await answered(exchange)
    expect(exchange.messages).toMatchObject([{ type: 'disconnect', code: 'server_draining' }])
    await eventually(() => expect(peer()?.ends).toBe(1))
    // Over HTTP/2, what is asked before GOAWAY has come is refused without being looked at (RFC 9113, section 6.8).
    await eventually(async () => {
      const late = poll()
      await eventually(() => late.closed)
      expect(late.status).toBe(404)
    })
  })

  it('tells a client that polls after the end why it was', async () => {
    await open()
    peer()?.send({ type: 'pong' })
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    peer()?.send({ type: 'disconnect', code: 'disconnected', closeCode: 4206, reason: '', reconnect: false })
    peer()?.connection.close('disconnected', '')
    await eventually(() => expect(peer()?.ends).toBe(1))
    const next = poll()
    await answered(next)
    expect(next.messages).toMatchObject([{ type: 'pong' }, { type: 'disconnect', code: 'disconnected' }])
    const late = poll()
    await answered(late)
    expect(late.status).toBe(404)
    expect(peer()?.ends).toBe(1)
  })

  it('ends with a client for whom too much waits', async () => {
    await open('', { maxBufferedBytes: 10_000 })
    for (let i = 0; i < 3; i++) {
      peer()?.send({ type: 'echo', data: 'x'.repeat(6_000) })
      await new Promise(setImmediate)
    }
    await eventually(() => expect(peer()?.ends).toBe(1))
    expect(context.events).toMatchObject([{ event: 'slow_consumer', details: { transport: 'poll' } }])
    const late = poll()
    await answered(late)
    expect(late.status).toBe(404)
  })

  it('asks a waiting client to show itself by answering it', async () => {
    await open()
    const exchange = await waiting()
    peer()?.connection.probe?.()
    await answered(exchange)
    expect(exchange.text).toBe('')
  })

  it('[T10] counts an answer that could not be delivered as the end of the connection', async () => {
    await open('', { maxBufferedBytes: 50_000_000 })
    const exchange = await waiting({ body: '', alone: true })
    exchange.pause()
    for (let i = 0; i < 30; i++) peer()?.send({ type: 'echo', data: 'x'.repeat(1_000_000) })
    await eventually(() => expect(exchange.status).toBe(200))
    expect(peer()?.ends).toBe(0)
    exchange.abort()
    await eventually(() => expect(peer()?.ends).toBe(1))
  })

  it('lets go of an answer that nobody reads, some time after the connection has ended', async () => {
    await open('', { maxBufferedBytes: 50_000_000 })
    const exchange = await waiting({ body: '', alone: true })
    exchange.pause()
    for (let i = 0; i < 30; i++) peer()?.send({ type: 'echo', data: 'x'.repeat(1_000_000) })
    await eventually(() => expect(exchange.status).toBe(200))
    pass(10_000)
    await eventually(() => expect(peer()?.ends).toBe(1))
    pass(5_000)
    exchange.resume()
    await eventually(() => expect(exchange.closed).toBe(true))
    expect(exchange.text.length).toBeLessThan(30_000_000)
  })

  it('refuses messages in a poll, where they would have no number', async () => {
    await open()
    const exchange = poll({ body: echo(1) })
    await answered(exchange)
    expect(exchange.status).toBe(400)
    expect(exchange.json).toMatchObject({ error: { code: 'invalid_field', message: expect.stringContaining('/send') } })
    expect(peer()?.received).toEqual([])
  })

  it('opens no connection for a body that cannot be taken', async () => {
    await open()
    const exchange = harness.request('POST', '/fusewire/v1/poll', { body: 'x'.repeat(1_100_000) })
    await eventually(() => expect(exchange.status).toBe(413))
    expect(context.engine.peers).toHaveLength(1)
    expect(context.traffic.poll.refused).toBe(1)
  })

  it('takes what is sent beside it', async () => {
    await open()
    const exchange = await waiting()
    const send = harness.request('POST', `/fusewire/v1/send?connection=${connection}&seq=1`, { body: echo('up') })
    await answered(exchange)
    expect(exchange.messages).toEqual([{ type: 'echo', data: 'up' }])
    await answered(send)
    expect(send.status).toBe(202)
  })

  it.runIf(version === 'HTTP/1.1')('polls again and again on one socket', async () => {
    await open()
    for (let i = 0; i < 10; i++) {
      const exchange = await waiting()
      peer()?.send({ type: 'pong' })
      await answered(exchange)
    }
    expect(harness.sockets.size).toBe(1)
  })
})
