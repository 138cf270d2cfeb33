import { eventually } from '@fusewire/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { HTTP_VERSIONS, HttpHarness, type TestExchange } from '../testing/http-harness.ts'
import { createTestContext, type TestContext } from '../testing/test-context.ts'

describe.each(HTTP_VERSIONS)('numbered requests over %s', (version) => {
  let harness: HttpHarness
  let context: TestContext
  afterEach(() => harness.close())

  /** A stream whose connection the requests belong to. */
  const open = async (options = {}): Promise<{ stream: TestExchange; connection: string }> => {
    context = createTestContext({ maxMessageBytes: 1_000 })
    harness = await HttpHarness.start(version, context, options)
    const stream = harness.request('POST', '/fusewire/v1/stream')
    await eventually(() => expect(stream.messages).toHaveLength(1))
    return { stream, connection: String(stream.messages[0]?.connection) }
  }

  const send = async (connection: string, seq: unknown, body: string | Uint8Array): Promise<TestExchange> => {
    const exchange = harness.request('POST', `/fusewire/v1/send?connection=${connection}&seq=${seq}`, { body })
    await eventually(() => expect(exchange.closed && exchange.status).toBeTruthy())
    return exchange
  }

  const echo = (data: unknown): string => JSON.stringify({ type: 'echo', data })
  const received = () => context.engine.peers[0]?.received.map((message) => (message as { data?: unknown }).data)

  it('[T2] hands the lines of a body to the engine, and the answers down the stream', async () => {
    const { stream, connection } = await open()
    const answer = await send(connection, 1, `${echo(1)}\r\n\n${echo('ü')}`)
    expect(answer.status).toBe(202)
    expect(answer.text).toBe('')
    await eventually(() => expect(stream.messages.slice(1)).toEqual([1, 'ü'].map((data) => ({ type: 'echo', data }))))
  })

  it('[T3] keeps the order of the numbers when requests overtake one another', async () => {
    const { connection } = await open()
    for (const seq of [3, 2, 5]) expect((await send(connection, seq, echo(seq))).status).toBe(202)
    expect(received()).toEqual([])
    await send(connection, 1, echo(1))
    expect(received()).toEqual([1, 2, 3])
    await send(connection, 4, echo(4))
    expect(received()).toEqual([1, 2, 3, 4, 5])
  })

  it('[T2] takes a repeated number and does nothing more', async () => {
    const { connection } = await open()
    await send(connection, 1, echo('first'))
    await send(connection, 3, echo('early'))
    expect((await send(connection, 1, echo('again'))).status).toBe(202)
    expect((await send(connection, 3, echo('again'))).status).toBe(202)
    await send(connection, 2, echo('second'))
    expect(received()).toEqual(['first', 'second', 'early'])
  })

  it('[T3] refuses a number that is too far ahead', async () => {
    const { connection } = await open({ maxHeldRequests: 2 })
    const answer = await send(connection, 4, echo(4))
    expect(answer.status).toBe(409)
    expect(answer.json).toMatchObject({ error: { code: 'out_of_sequence', retryable: false } })
  })

  it.each(['0', '-1', '1.5', '01', 'x', '', '99999999999999999999'])('refuses %j for a number', async (seq) => {
    const { connection } = await open()
    const answer = await send(connection, seq, echo(1))
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ error: { code: 'invalid_field' } })
  })

  it('[T4] does not know connections that never were, and those that have ended', async () => {
    const { stream, connection } = await open()
    expect((await send('node-1.nonsense', 1, echo(1))).json).toMatchObject({ error: { code: 'unknown_connection' } })
    stream.abort()
    await eventually(() => expect(context.engine.peers[0]?.ends).toBe(1))
    const answer = await send(connection, 1, echo(1))
    expect(answer.status).toBe(404)
    expect(answer.json).toMatchObject({ error: { code: 'unknown_connection' } })
  })

  it('tells the engine about each line that cannot be read, in its place', async () => {
    const { stream, connection } = await open()
    const lines = [
      Buffer.from(`${echo(1)}\nnot json\n"`),
      Buffer.of(0xff, 0xfe),
      Buffer.from(`"\n${'x'.repeat(2_000)}\n${echo(2)}`),
    ]
    expect((await send(connection, 1, Buffer.concat(lines))).status).toBe(202)
    expect(received()).toEqual([1, 2])
    await eventually(() => expect(stream.messages).toHaveLength(6))
    expect(stream.messages.map((message) => message.code ?? message.data ?? message.type)).toEqual([
      'open',
      1,
      'malformed_message',
      'malformed_message',
      'message_too_large',
      2,
    ])
  })

  it('refuses a body that is too large, and takes another one under the same number', async () => {
    const { connection } = await open({ maxBodyBytes: 3_000 })
    const answer = await send(connection, 1, `${echo('x'.repeat(500))}\n`.repeat(10))
    expect(answer.status).toBe(413)
    expect(answer.json).toMatchObject({ error: { code: 'message_too_large' } })
    expect((await send(connection, 1, echo('small'))).status).toBe(202)
    expect(received()).toEqual(['small'])
  })

  it('takes a body that comes byte by byte', async () => {
    const { connection } = await open()
    const exchange = harness.request('POST', `/fusewire/v1/send?connection=${connection}&seq=1`, { body: 'open' })
    for (const byte of Buffer.from(`${echo('ü')}\n${echo(2)}`)) {
      await new Promise((resolve) => exchange.body.write(Buffer.of(byte), resolve))
    }
    exchange.body.end()
    await eventually(() => expect(exchange.status).toBe(202))
    expect(received()).toEqual(['ü', 2])
  })

  it('[T2] uses nothing of a body that was cut, and takes it as a whole when it is repeated', async () => {
    const { connection } = await open()
    const cut = harness.request('POST', `/fusewire/v1/send?connection=${connection}&seq=1`, { body: 'open', alone: true })
    cut.body.write(`${echo(1)}\n${echo(2)}`)
    await eventually(() => expect(harness.sockets.size).toBe(2))
    cut.abort()
    await eventually(() => expect(harness.sockets.size).toBe(1))
    expect(received()).toEqual([])
    expect((await send(connection, 1, `${echo(1)}\n${echo(2)}`)).status).toBe(202)
    expect(received()).toEqual([1, 2])
  })

  it('gives up on a body that does not come to its end', async () => {
    let now = 1_000
    const { connection } = await open({ bodyTimeoutMs: 5_000, now: () => now })
    const slow = harness.request('POST', `/fusewire/v1/send?connection=${connection}&seq=1`, { body: 'open' })
    slow.body.write(echo(1))
    await eventually(() => {
      now += 5_000
      harness.transports.tick(now)
      expect(slow.status).toBe(408)
    })
    await eventually(() => expect(slow.json).toMatchObject({ error: { code: 'request_timeout', retryable: true } }))
    expect((await send(connection, 1, echo('again'))).status).toBe(202)
    expect(received()).toEqual(['again'])
  })

  it.runIf(version === 'HTTP/1.1')('answers many requests on one socket', async () => {
    const { connection } = await open()
    for (let seq = 1; seq <= 20; seq++) await send(connection, seq, echo(seq))
    // One for the stream, one for everything that was sent.
    expect(harness.sockets.size).toBe(2)
  })

  it('counts the bytes for the transport that they belong to', async () => {
    const { connection } = await open()
    await send(connection, 1, echo(1))
    expect(context.traffic.stream.bytesIn).toBe(echo(1).length)
  })
})
