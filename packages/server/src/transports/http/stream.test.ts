import { eventually } from '@fusewire/testkit'
import { fetch } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { HTTP_VERSIONS, HttpHarness, type TestExchange } from '../testing/http-harness.ts'
import { createTestContext, type TestContext } from '../testing/test-context.ts'

let harness: HttpHarness
let context: TestContext
afterEach(() => harness.close())

const echo = (data: unknown): string => JSON.stringify({ type: 'echo', data })
const dataOf = (exchange: TestExchange): unknown[] => exchange.messages.slice(1).map((message) => message.data)

describe.each(HTTP_VERSIONS)('HTTP streaming over %s', (version) => {
  const open = async (body: string | Uint8Array = 'open', limits = {}, options = {}): Promise<TestExchange> => {
    context = createTestContext(limits)
    harness = await HttpHarness.start(version, context, options)
    const stream = harness.request('POST', '/fusewire/v1/stream', { body })
    await eventually(() => expect(stream.messages.length).toBeGreaterThan(0))
    return stream
  }
  const peer = () => context.engine.peers[0]

  it('[T1] answers at once, and names the connection first', async () => {
    const stream = await open()
    expect(stream.status).toBe(200)
    expect(stream.headers).toMatchObject({
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    expect(stream.messages).toEqual([{ type: 'open', connection: expect.stringMatching(/^node-1\.[\w-]{24}$/) }])
    expect(context.traffic.stream).toMatchObject({ connections: 1, opened: 1 })
    expect(context.traffic.stream.bytesOut).toBe(stream.text.length)
  })

  it('gives every connection a secret of its own', async () => {
    const first = await open()
    const second = harness.request('POST', '/fusewire/v1/stream')
    await eventually(() => expect(second.messages).toHaveLength(1))
    expect(second.text).not.toBe(first.text)
  })

  it('[T7] handles the lines of the request as they come, while it stays open', async () => {
    const stream = await open()
    stream.body.write(`${echo(1)}\n${echo(2)}\r\n`)
    await eventually(() => expect(dataOf(stream)).toEqual([1, 2]))
    stream.body.write(`${echo(3)}\n`)
    await eventually(() => expect(dataOf(stream)).toEqual([1, 2, 3]))
    stream.body.end(echo('the last line needs no end'))
    await eventually(() => expect(dataOf(stream)).toHaveLength(4))
    expect(stream.closed).toBe(false)
    expect(peer()?.ends).toBe(0)
  })

  it('reads a request that comes byte by byte', async () => {
    const stream = await open()
    for (const byte of Buffer.from(`${echo('ü€😀')}\n\n${echo(2)}\n`)) {
      await new Promise((resolve) => stream.body.write(Buffer.of(byte), resolve))
    }
    await eventually(() => expect(dataOf(stream)).toEqual(['ü€😀', 2]))
    expect(peer()?.signs).toBe(1)
  })

  it('goes on after lines that it cannot read', async () => {
    const bad = Buffer.concat([
      Buffer.of(0x22, 0xff, 0x22, 0x0a),
      Buffer.from(`{"type":\n${'x'.repeat(200)}\n${echo(1)}\n{"type":"nonsense"}\n`),
    ])
    const stream = await open(bad, { maxMessageBytes: 100 })
    await eventually(() => expect(stream.messages).toHaveLength(6))
    expect(stream.messages.slice(1).map((message) => message.code ?? message.data)).toEqual([
      'malformed_message',
      'malformed_message',
      'message_too_large',
      1,
      'unknown_type',
    ])
  })

  it('sends what is sent in one turn in one piece, in order', async () => {
    const stream = await open()
    for (let i = 0; i < 100; i++) context.engine.broadcast({ type: 'pong', id: i })
    await eventually(() => expect(stream.messages).toHaveLength(101))
    expect(stream.messages.slice(1).map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  it('sends what is queued before it ends', async () => {
    const stream = await open()
    peer()?.send({ type: 'pong' })
    peer()?.connection.close('server_draining', 'leaving')
    peer()?.connection.close('server_draining', 'leaving')
    peer()?.send({ type: 'pong' })
    await eventually(() => expect(stream.complete).toBe(true))
    expect(stream.messages.slice(1)).toEqual([{ type: 'pong' }])
    await eventually(() => expect(peer()?.ends).toBe(1))
    expect(context.traffic.stream.connections).toBe(0)
  })

  it('reports a client that has vanished, once', async () => {
    const stream = await open()
    stream.abort()
    await eventually(() => expect(peer()?.ends).toBe(1))
    peer()?.send({ type: 'pong' })
    peer()?.connection.close('server_draining', 'too late')
    expect(peer()?.ends).toBe(1)
    expect(context.traffic.stream.connections).toBe(0)
  })

  it('drops a line that was cut', async () => {
    await open('')
    const stream = harness.request('POST', '/fusewire/v1/stream', { body: 'open', alone: true })
    stream.body.write(`${echo(1)}\n${echo(2).slice(0, -1)}`)
    const last = () => context.engine.peers[1]
    await eventually(() => expect(last()?.received).toHaveLength(1))
    stream.abort()
    await eventually(() => expect(last()?.ends).toBe(1))
    expect(last()?.received).toHaveLength(1)
    expect(last()?.rejected).toEqual([])
  })

  it('[T5] sends blank lines while nothing happens, and takes the writing for a sign of life when asked', async () => {
    const stream = await open('', {}, { keepAliveIntervalMs: 3_000, now: () => 0 })
    const before = stream.text
    await eventually(() => expect(peer()?.signs).toBe(1))
    for (let second = 1; second <= 6; second++) harness.transports.tick(second * 1_000)
    await eventually(() => expect(stream.text).toBe(`${before}\n\n`))
    expect(peer()?.signs).toBe(1)
    peer()?.connection.probe?.()
    await eventually(() => expect(peer()?.signs).toBe(2))
    // The sign of life is that it was written.
    await eventually(() => expect(stream.text).toBe(`${before}\n\n\n`))
  })

  it('ends with a client that no longer reads', async () => {
    const stream = await open('', { maxBufferedBytes: 100_000 })
    stream.pause()
    const data = 'x'.repeat(50_000)
    await eventually(
      () => {
        for (let i = 0; i < 20; i++) context.engine.broadcast({ type: 'echo', data })
        expect(peer()?.ends).toBe(1)
      },
      { timeoutMs: 10_000 },
    )
    expect(context.events).toEqual([
      {
        event: 'slow_consumer',
        details: { transport: 'stream', remoteAddress: expect.stringContaining('127.0.0.1'), bufferedBytes: expect.any(Number) },
      },
    ])
    expect(context.traffic.stream.connections).toBe(0)
    stream.resume()
    await eventually(() => expect(stream.closed).toBe(true))
    expect(stream.complete && version === 'HTTP/1.1').toBe(false)
  })

  it('does not wait for ever until a client has read the end', async () => {
    let now = 0
    const stream = await open('', {}, { closeTimeoutMs: 5_000, now: () => now })
    stream.pause()
    for (let i = 0; i < 100; i++) peer()?.send({ type: 'echo', data: 'x'.repeat(100_000) })
    peer()?.connection.close('server_draining', '')
    now = 4_999
    harness.transports.tick(now)
    expect(peer()?.ends).toBe(0)
    now = 5_000
    harness.transports.tick(now)
    await eventually(() => expect(peer()?.ends).toBe(1))
  })

  it('resumes writing to a client that reads again', async () => {
    const stream = await open('', { maxBufferedBytes: 10_000_000 })
    stream.pause()
    const count = 300
    for (let i = 0; i < count; i++) {
      peer()?.send({ type: 'echo', data: `${i} ${'x'.repeat(10_000)}` })
      if (i % 50 === 0) await new Promise(setImmediate)
    }
    expect(peer()?.ends).toBe(0)
    stream.resume()
    await eventually(() => expect(stream.messages).toHaveLength(count + 1))
    expect(dataOf(stream).map((data) => Number.parseInt(String(data), 10))).toEqual(Array.from({ length: count }, (_, i) => i))
  })
})

describe('HTTP streaming to fetch', () => {
  it('can be read while it goes on, and aborted', async () => {
    context = createTestContext()
    harness = await HttpHarness.start('HTTP/1.1', context)
    const abort = new AbortController()
    const response = await fetch(`${harness.origin}/fusewire/v1/stream`, {
      method: 'POST',
      body: `${echo(1)}\n`,
      headers: { 'content-type': 'text/plain', origin: 'https://app.example' },
      signal: abort.signal,
    })
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example')
    let text = ''
    const reading = (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk)
    })().catch(() => undefined)
    await eventually(() => expect(text.trim().split('\n')).toHaveLength(2))
    context.engine.broadcast({ type: 'pong' })
    await eventually(() => expect(text.endsWith('{"type":"pong"}\n')).toBe(true))
    abort.abort()
    await eventually(() => expect(context.engine.peers[0]?.ends).toBe(1))
    await reading
  })
})
