import { eventually } from '@fusewire/testkit'
import { EventSource } from 'eventsource'
import { afterEach, describe, expect, it } from 'vitest'
import { HTTP_VERSIONS, HttpHarness } from '../testing/http-harness.ts'
import { createTestContext, type TestContext } from '../testing/test-context.ts'

let harness: HttpHarness
let context: TestContext
afterEach(() => harness.close())

const start = async (version: 'HTTP/1.1' | 'HTTP/2', options = {}): Promise<void> => {
  context = createTestContext()
  harness = await HttpHarness.start(version, context, options)
}

describe.each(HTTP_VERSIONS)('two-way SSE over %s', (version) => {
  it('[T11] sends each message as the data of a default event, the name of the connection first', async () => {
    await start(version)
    const stream = harness.request('GET', '/fusewire/v1/sse')
    await eventually(() => expect(stream.text).toMatch(/^data: \{"type":"open","connection":"node-1\.[\w-]{24}"\}\n\n$/))
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      vary: 'origin',
    })
    const before = stream.text
    context.engine.broadcast({ type: 'echo', data: 'line\nbreak' })
    await eventually(() => expect(stream.text).toBe(`${before}data: {"type":"echo","data":"line\\nbreak"}\n\n`))
    expect(context.traffic.sse).toMatchObject({ connections: 1, opened: 1, bytesOut: stream.text.length })
  })

  it('[T5] sends comments while nothing happens', async () => {
    await start(version, { keepAliveIntervalMs: 1_000 })
    const stream = harness.request('GET', '/fusewire/v1/sse')
    await eventually(() => expect(stream.text).toContain('"open"'))
    harness.transports.tick(1_000)
    await eventually(() => expect(stream.text.endsWith('\n\n:\n\n')).toBe(true))
  })

  it('shares its bytes with every other stream', async () => {
    await start(version)
    harness.request('GET', '/fusewire/v1/sse')
    harness.request('GET', '/fusewire/v1/sse')
    await eventually(() => expect(context.engine.peers).toHaveLength(2))
    expect(new Set(context.engine.peers.map(({ connection }) => connection.format)).size).toBe(1)
  })
})

describe('two-way SSE to EventSource', () => {
  it('carries a conversation with what is sent beside it', async () => {
    await start('HTTP/1.1')
    const source = new EventSource(`${harness.origin}/fusewire/v1/sse`)
    const messages: { type: string; connection?: string; data?: unknown }[] = []
    source.onmessage = ({ data }) => messages.push(JSON.parse(data))
    await eventually(() => expect(messages).toHaveLength(1))
    const path = `/fusewire/v1/send?connection=${messages[0]?.connection}&seq=1`
    harness.request('POST', path, { body: '{"type":"echo","data":"✓"}' })
    await eventually(() => expect(messages[1]).toEqual({ type: 'echo', data: '✓' }))
    source.close()
    await eventually(() => expect(context.engine.peers[0]?.ends).toBe(1))
  })
})

describe('many SSE streams', () => {
  it('live on one HTTP/2 session, get what is sent, and end with it', async () => {
    await start('HTTP/2')
    const count = 2_000
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    harness.session.setMaxListeners(0)
    const streams = Array.from({ length: count }, () => harness.request('GET', '/fusewire/v1/sse'))
    await eventually(() => expect(streams.every(({ text }) => text !== '')).toBe(true), { timeoutMs: 20_000 })
    expect(harness.sockets.size).toBe(1)
    for (let i = 0; i < 5; i++) {
      context.engine.broadcast({ type: 'pong', id: i })
      await new Promise(setImmediate)
    }
    await eventually(() => expect(streams.every(({ text }) => text.split('\n\n').length === 7)).toBe(true), { timeoutMs: 20_000 })
    harness.session.destroy()
    await eventually(() => expect(context.engine.peers.every(({ ends }) => ends === 1)).toBe(true), { timeoutMs: 20_000 })
    expect(context.traffic.sse).toMatchObject({ connections: 0, opened: count })
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  }, 60_000)

  it('on one session do not suffer from one that is not read', async () => {
    context = createTestContext({ maxBufferedBytes: 200_000 })
    harness = await HttpHarness.start('HTTP/2', context)
    const streams = Array.from({ length: 5 }, () => harness.request('GET', '/fusewire/v1/sse'))
    await eventually(() => expect(streams.every(({ text }) => text !== '')).toBe(true))
    streams[0]?.pause()
    let sent = 0
    await eventually(
      () => {
        context.engine.broadcast({ type: 'echo', data: 'x'.repeat(20_000) })
        sent++
        expect(context.engine.peers.map(({ ends }) => ends).sort()).toEqual([0, 0, 0, 0, 1])
      },
      { timeoutMs: 10_000 },
    )
    await eventually(() => expect(streams.slice(1).every(({ text }) => text.split('\n\n').length === sent + 2)).toBe(true))
    expect(context.events.map(({ event }) => event)).toEqual(['slow_consumer'])
  }, 20_000)
})
