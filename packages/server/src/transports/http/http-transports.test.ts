import { connect } from 'node:net'
import { PATHS } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { HTTP_VERSIONS, HttpHarness, type RequestInit } from '../testing/http-harness.ts'
import { createTestContext, type TestContext } from '../testing/test-context.ts'

let harness: HttpHarness
let context: TestContext
afterEach(() => harness.close())

describe.each(HTTP_VERSIONS)('the HTTP transports over %s', (version) => {
  const start = async (options = {}): Promise<void> => {
    context = createTestContext()
    harness = await HttpHarness.start(version, context, options)
  }
  const fetch = async (method: string, path: string, init: RequestInit = {}) => {
    const exchange = harness.request(method, path, init)
    await eventually(() => expect(exchange.closed && exchange.status).toBeTruthy())
    return exchange
  }

  it('leaves other paths to others', async () => {
    await start()
    expect((await fetch('GET', '/elsewhere')).status).toBe(404)
    expect((await fetch('GET', '/elsewhere')).text).toBe('')
    expect((await fetch('GET', `${PATHS.sse}/deeper`)).text).toBe('')
  })

  it.each([
    ['HEAD', PATHS.sse, 'GET'],
    ['POST', PATHS.sse, 'GET'],
    ['GET', PATHS.stream, 'POST'],
    ['DELETE', PATHS.poll, 'POST'],
    ['PUT', PATHS.send, 'POST'],
  ])('answers %s %s with 405 and says what is allowed', async (method, path, allowed) => {
    await start()
    const answer = await fetch(method, path)
    expect(answer.status).toBe(405)
    expect(answer.headers).toMatchObject({ allow: `${allowed}, OPTIONS`, 'cache-control': 'no-store' })
    if (method !== 'HEAD') expect(answer.json).toMatchObject({ error: { code: 'method_not_allowed', retryable: false } })
    expect(context.engine.peers).toEqual([])
  })

  it('answers for a transport that is turned off as if it were not there', async () => {
    await start({ transports: ['sse'] })
    const answer = await fetch('POST', PATHS.poll, { body: '' })
    expect(answer.status).toBe(404)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.json).toEqual({
      error: { code: 'unsupported_transport', message: expect.stringContaining('turned off'), retryable: false },
    })
    // What the one that is on needs stays.
    expect((await fetch('POST', `${PATHS.send}?connection=x&seq=1`, { body: '' })).json).toMatchObject({
      error: { code: 'unknown_connection' },
    })
    expect(context.traffic.poll.refused).toBe(1)
  })

  it('turns /send off with the last transport that needs it', async () => {
    await start({ transports: ['websocket', 'tcp'] })
    expect((await fetch('POST', `${PATHS.send}?connection=x&seq=1`, { body: '' })).json).toMatchObject({
      error: { code: 'unsupported_transport' },
    })
  })

  it('[T6] answers a preflight of an allowed origin', async () => {
    await start()
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    const answer = await fetch('OPTIONS', PATHS.send, { headers })
    expect(answer.status).toBe(204)
    expect(answer.headers).toMatchObject({
      vary: 'origin',
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': expect.stringContaining('content-type'),
    })
    expect(answer.headers).not.toHaveProperty('content-length')
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
  })

  it('[T6] lets a page read refusals too', async () => {
    await start()
    const answer = await fetch('POST', `${PATHS.send}?connection=x&seq=1`, {
      headers: { origin: 'https://app.example' },
      body: '',
    })
    expect(answer.headers).toMatchObject({ vary: 'origin', 'access-control-allow-origin': 'https://app.example' })
  })

  it.each(['OPTIONS', 'GET'])('refuses %s of another origin', async (method) => {
    await start()
    const answer = await fetch(method, PATHS.sse, { headers: { origin: 'https://evil.example' } })
    expect(answer.status).toBe(403)
    expect(answer.json).toMatchObject({ error: { code: 'origin_not_allowed' } })
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    expect(context.engine.peers).toEqual([])
  })

  it('[L18] tells the operator of another origin', async () => {
    await start()
    const origin = 'https://evil.example'
    await fetch('GET', PATHS.sse, { headers: { origin } })
    await fetch('POST', `${PATHS.send}?connection=secret&seq=1`, { headers: { origin }, body: '' })
    const details = { code: 'origin_not_allowed', origin, remoteAddress: expect.stringContaining('127.0.0.1') }
    expect(context.events).toEqual([
      { event: 'origin_refused', details: { ...details, transport: 'sse' } },
      { event: 'origin_refused', details: { ...details, transport: undefined } },
    ])
  })

  it('never sends a Connection header over HTTP/2, which forbids it', async () => {
    await start()
    const answer = await fetch('POST', `${PATHS.send}?connection=x&seq=1`, { body: 'x'.repeat(100_000) })
    expect(answer.status).toBe(404)
    if (version === 'HTTP/2') expect(answer.headers).not.toHaveProperty('connection')
    else expect(answer.headers.connection).toBe('keep-alive')
  })

  it('ends every connection at close, once, and refuses new ones', async () => {
    await start()
    const stream = harness.request('POST', PATHS.stream, { body: 'open' })
    const sse = harness.request('GET', PATHS.sse)
    const poll = harness.request('POST', PATHS.poll, { body: '' })
    await eventually(() => expect(stream.text && sse.text && poll.complete).toBeTruthy())
    const session = version === 'HTTP/2' ? harness.session : undefined
    harness.transports.close()
    harness.transports.close()
    await eventually(() => expect(context.engine.peers.map(({ ends }) => ends)).toEqual([1, 1, 1]))
    await eventually(() => expect(stream.complete && sse.complete).toBe(true))
    // What Node's client asks for in the turn in which GOAWAY comes is never sent, and never refused.
    if (session) await eventually(() => expect(session.closed).toBe(true))
    // Over HTTP/1.1 the first may be sent on a line that the server has just ended: then it has no answer at all.
    const late = await eventually(async () => {
      const exchange = harness.request('GET', PATHS.sse)
      await eventually(() => exchange.closed)
      expect(exchange.status).toBe(503)
      return exchange
    })
    expect(late.json).toMatchObject({ error: { code: 'server_draining', retryable: true } })
    for (const { connections } of Object.values(context.traffic)) expect(connections).toBe(0)
  })

  it('hides what went wrong inside, and logs it', async () => {
    await start()
    Object.assign(context, {
      open: () => {
        throw new Error('secret detail')
      },
    })
    const answer = await fetch('POST', PATHS.poll, { body: '' })
    expect(answer.status).toBe(500)
    expect(answer.json).toMatchObject({ error: { code: 'internal_error' } })
    expect(answer.text).not.toContain('secret')
    expect(context.events).toEqual([{ event: 'http_transport_failed', details: { error: expect.any(Error) } }])
  })
})

describe('the HTTP transports over a bare socket', () => {
  const talk = async (text: string) => {
    context = createTestContext()
    harness = await HttpHarness.start('HTTP/1.1', context)
    const socket = connect(harness.port, '127.0.0.1')
    const answer = { text: '', ended: false, socket }
    socket.setEncoding('utf8').on('data', (chunk) => {
      answer.text += chunk
    })
    socket.on('end', () => {
      answer.ended = true
    })
    socket.write(text)
    return answer
  }

  it('stream to a client of HTTP/1.0 up to the end of the connection', async () => {
    const answer = await talk(`GET ${PATHS.sse} HTTP/1.0\r\nHost: localhost\r\n\r\n`)
    await eventually(() => expect(answer.text).toMatch(/\r\n\r\ndata: \{"type":"open","connection":"node-1\.[\w-]{24}"\}\n\n$/))
    expect(answer.text).not.toMatch(/transfer-encoding/i)
    context.engine.broadcast({ type: 'pong' })
    await eventually(() => expect(answer.text.endsWith('data: {"type":"pong"}\n\n')).toBe(true))
    context.engine.peers[0]?.connection.close('server_draining', '')
    await eventually(() => expect(answer.ended).toBe(true))
    await eventually(() => expect(context.engine.peers[0]?.ends).toBe(1))
  })

  it('read a request head that comes byte by byte', async () => {
    const answer = await talk('')
    for (const character of `GET ${PATHS.sse} HTTP/1.1\r\nHost: localhost\r\n\r\n`) {
      await new Promise((resolve) => answer.socket.write(character, resolve))
    }
    await eventually(() => expect(answer.text).toContain('"type":"open"'))
  })

  it('answer pipelined requests in their order, a stream after what came before it', async () => {
    const first = `POST ${PATHS.poll} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`
    const answer = await talk(`${first}GET ${PATHS.sse} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await eventually(() => expect(answer.text.match(/"type":"open"/g)).toHaveLength(2))
    context.engine.broadcast({ type: 'pong' })
    await eventually(() => expect(answer.text).toMatch(/\r\n\r\n46\r\ndata: \{"type":"open"/))
    await eventually(() => expect(answer.text.endsWith('\r\n17\r\ndata: {"type":"pong"}\n\n\r\n')).toBe(true))
    expect(answer.text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
  })

  it('take a client that ends its side of a stream for gone', async () => {
    const answer = await talk(`GET ${PATHS.sse} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await eventually(() => expect(answer.text).toContain('"type":"open"'))
    answer.socket.end()
    await eventually(() => {
      context.engine.broadcast({ type: 'pong' })
      expect(context.engine.peers[0]?.ends).toBe(1)
    })
  })

  it('survive a client that says nothing more in the middle of a chunk', async () => {
    const answer = await talk(
      `POST ${PATHS.stream} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"type":"ec`,
    )
    await eventually(() => expect(context.engine.peers).toHaveLength(1))
    answer.socket.destroy()
    await eventually(() => expect(context.engine.peers[0]?.ends).toBe(1))
    expect(context.engine.peers[0]?.received).toEqual([])
    expect(context.engine.peers[0]?.rejected).toEqual([])
  })
})
