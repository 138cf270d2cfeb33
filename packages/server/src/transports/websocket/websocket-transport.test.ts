import { once } from 'node:events'
import { constants } from 'node:http2'
import type { Socket } from 'node:net'
import { type ServerMessage, SUBPROTOCOL } from '@fusewire/protocol'
import { msgpackCodec } from '@fusewire/protocol/msgpack'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { openTcp, openTls, readAll, writeByteByByte } from '../../listener/testing/raw-client.ts'
import type { RecordingPeer } from '../testing/recording-engine.ts'
import { type StartedSockets, startTestSockets } from '../testing/start-sockets.ts'
import { connectSession, connectWebSocket, type StreamWebSocket } from '../testing/stream-web-socket.ts'

const PATH = '/fusewire/v1/ws'
const secure = { rejectUnauthorized: false, servername: 'localhost' }

/** A client over HTTP/1.1. */
const openWs = async (
  url: string,
  subprotocols: string[] = [],
  options: object = {},
): Promise<WebSocket & { texts: string[] }> => {
  const socket = Object.assign(new WebSocket(url, subprotocols, { ...secure, ...options }), { texts: [] as string[] })
  socket.on('error', () => {})
  socket.on('message', (data) => socket.texts.push(String(data)))
  await once(socket, 'open')
  return socket
}

const closeOf = async (socket: WebSocket): Promise<{ code: number; reason: string }> => {
  const [code, reason] = await once(socket, 'close')
  return { code, reason: String(reason) }
}

/** The answer to a handshake that is refused. */
const refusalOf = async (url: string, subprotocols: string[] = [], options: object = {}) => {
  const socket = new WebSocket(url, subprotocols, { ...secure, ...options })
  socket.on('error', () => {})
  const [, response] = await once(socket, 'unexpected-response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, headers: response.headers, error: JSON.parse(body).error }
}

const firstPeer = (started: StartedSockets): Promise<RecordingPeer> =>
  eventually(() => {
    const [peer] = started.context.engine.peers
    if (!peer) throw new Error('no connection yet')
    return peer
  })

const handshake = (headers: Record<string, string> = {}, path = PATH): string =>
  `GET ${path} HTTP/1.1\r\n${Object.entries({
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

/** A masked frame; the mask is zero, so that the payload is legible. */
const frame = (first: number, payload: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(payload as Uint8Array)
  const length = bytes.length < 126 ? [bytes.length | 0x80] : [0xfe, bytes.length >> 8, bytes.length & 0xff]
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), bytes])
}

const upgraded = async (socket: Socket): Promise<void> => {
  socket.write(handshake())
  await readAll(socket, (text) => text.endsWith('\r\n\r\n'))
}

describe('WebSocket over HTTP/1.1', () => {
  it.each(['wss', 'ws'])('carries JSON in text frames over %s:, without a subprotocol', async (scheme) => {
    const started = await startTestSockets()
    const port = scheme === 'wss' ? started.tlsPort : started.port
    const socket = await openWs(`${scheme}://127.0.0.1:${port}/ws`)
    expect(socket.protocol).toBe('')
    socket.send('{"type":"echo","data":"é"}')
    await eventually(() => expect(socket.texts).toEqual(['{"type":"echo","data":"é"}']))
    const peer = await firstPeer(started)
    expect(peer.connection).toMatchObject({ transport: 'websocket', remoteAddress: '127.0.0.1' })
    expect(peer.received).toEqual([{ type: 'echo', data: 'é' }])
    socket.close()
    await eventually(() => expect(peer.ends).toBe(1))
  })

  it('carries MessagePack in binary frames', async () => {
    const { port } = await startTestSockets()
    const socket = await openWs(`ws://127.0.0.1:${port}${PATH}`, [SUBPROTOCOL.msgpack, SUBPROTOCOL.json])
    expect(socket.protocol).toBe(SUBPROTOCOL.msgpack)
    const message = { type: 'echo', data: Uint8Array.of(1, 2, 3) } as ServerMessage
    socket.send(msgpackCodec.encode(message) as Uint8Array)
    const [data, isBinary] = await once(socket, 'message')
    expect(isBinary).toBe(true)
    expect(msgpackCodec.decode(data, 32)).toEqual([{ type: 'echo', data: Uint8Array.of(1, 2, 3) }])
  })

  it('takes several messages in a frame, and a handshake and frames byte by byte', async () => {
    const started = await startTestSockets()
    const socket = await openTcp(started.port)
    await writeByteByByte(socket, Buffer.concat([Buffer.from(handshake()), frame(0x81, '{"type":"ping"}\n{"type":"echo"}')]))
    const peer = await firstPeer(started)
    await eventually(() => expect(peer.received).toEqual([{ type: 'ping' }, { type: 'echo' }]))
    socket.destroy()
  })

  it('joins fragments, with control frames between them', async () => {
    const started = await startTestSockets()
    const socket = await openTcp(started.port)
    await upgraded(socket)
    socket.write(Buffer.concat([frame(0x01, '{"type":'), frame(0x89, ''), frame(0x80, '"ping"}')]))
    const peer = await firstPeer(started)
    await eventually(() => expect(peer.received).toEqual([{ type: 'ping' }]))
    socket.destroy()
  })

  it('writes what one turn sends in one piece', async () => {
    const started = await startTestSockets()
    const socket = await openWs(`ws://127.0.0.1:${started.port}/ws`)
    const peer = await firstPeer(started)
    const { bytesRead } = (socket as unknown as { _socket: Socket })._socket
    for (let i = 0; i < 3; i++) peer.send({ type: 'echo', data: i })
    await eventually(() => expect(socket.texts).toHaveLength(3))
    expect(socket.texts).toEqual([0, 1, 2].map((data) => JSON.stringify({ type: 'echo', data })))
    expect((socket as unknown as { _socket: Socket })._socket.bytesRead - bytesRead).toBe(
      3 * ('{"type":"echo","data":0}'.length + 2),
    )
  })
})

describe('a refused handshake', () => {
  it.each([
    ['an unknown path', '/nowhere', [], {}, 404, 'not_found'],
    ['another origin', PATH, [], { origin: 'https://evil.example' }, 403, 'origin_not_allowed'],
    ['another origin, for an echo', '/fusewire/v1/echo', [], { origin: 'https://evil.example' }, 403, 'origin_not_allowed'],
    ['nothing but unknown subprotocols', PATH, ['graphql-ws'], {}, 400, 'unsupported_subprotocol'],
  ])('over HTTP/1.1 for %s is answered with the documented error', async (_why, path, subprotocols, options, status, code) => {
    const started = await startTestSockets()
    const answer = await refusalOf(`ws://127.0.0.1:${started.port}${path}`, subprotocols, options)
    expect(answer).toMatchObject({ status, error: { code, retryable: false, message: expect.any(String) } })
    expect(answer.headers['content-type']).toBe('application/json')
    expect(started.context.engine.peers).toHaveLength(0)
    expect(started.context.traffic.websocket.refused).toBe(1)
  })

  it('[L18] tells the operator of another origin', async () => {
    const started = await startTestSockets()
    const origin = 'https://evil.example'
    await refusalOf(`ws://127.0.0.1:${started.port}${PATH}`, [], { origin })
    const session = await connectSession(`https://127.0.0.1:${started.tlsPort}`)
    await connectWebSocket(session, PATH, { origin })
    const details = { code: 'origin_not_allowed', origin, remoteAddress: expect.stringContaining('127.0.0.1') }
    expect(started.context.events).toEqual([
      { event: 'origin_refused', details: { ...details, transport: 'websocket' } },
      { event: 'origin_refused', details: { ...details, transport: 'websocket-h2' } },
    ])
  })

  it.each([
    ['an unknown path', '/nowhere', {}, 404, 'not_found'],
    ['another origin', PATH, { origin: 'https://evil.example' }, 403, 'origin_not_allowed'],
    ['nothing but unknown subprotocols', PATH, { 'sec-websocket-protocol': 'graphql-ws' }, 400, 'unsupported_subprotocol'],
    ['another version', PATH, { 'sec-websocket-version': '8' }, 400, 'malformed_request'],
  ])('over HTTP/2 for %s is answered with the documented error', async (_why, path, headers, status, code) => {
    const started = await startTestSockets()
    const session = await connectSession(`https://127.0.0.1:${started.tlsPort}`)
    const answer = await connectWebSocket(session, path, headers)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body).error.code).toBe(code)
    expect(started.context.traffic['websocket-h2'].refused).toBe(1)
    session.destroy()
  })

  it.each([
    ['no key', { 'Sec-WebSocket-Key': '' }],
    ['another version', { 'Sec-WebSocket-Version': '7' }],
    ['extensions that cannot be read', { 'Sec-WebSocket-Extensions': ';;' }],
    ['subprotocols that cannot be read', { 'Sec-WebSocket-Protocol': ',' }],
  ])('for %s says so, and which version is spoken', async (_why, headers) => {
    const started = await startTestSockets()
    const socket = await openTcp(started.port)
    const answer = readAll(socket)
    socket.write(handshake(headers))
    expect(await answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nsec-websocket-version: 13\r\n[\s\S]*"malformed_request"/)
    expect(started.context.traffic.websocket.refused).toBe(1)
  })

  it('is what everyone gets once the transport is closed', async () => {
    const { port, webSockets } = await startTestSockets()
    webSockets.close()
    expect(await refusalOf(`ws://127.0.0.1:${port}/ws`)).toMatchObject({
      status: 503,
      error: { code: 'server_draining', retryable: true },
    })
  })
})

/** The ways to a WebSocket, for what must be the same on all of them. */
const WAYS = ['HTTP/1.1', 'HTTP/2'] as const

/** A bare client, whose framing is under the test's control. */
const openBare = async (way: (typeof WAYS)[number], started: StartedSockets, path = PATH) => {
  if (way === 'HTTP/2') {
    const session = await connectSession(`https://127.0.0.1:${started.tlsPort}`)
    const { socket } = await connectWebSocket(session, path)
    return { stream: socket.stream, socket, drop: () => session.destroy() }
  }
  const { StreamWebSocket } = await import('../testing/stream-web-socket.ts')
  const stream = await openTls(started.tlsPort, ['http/1.1'])
  stream.write(handshake({}, path))
  await readAll(stream, (text) => text.endsWith('\r\n\r\n'))
  stream.removeAllListeners('data')
  return { stream, socket: new StreamWebSocket(stream), drop: () => stream.destroy() }
}

describe.each(WAYS)('bad input over %s', (way) => {
  it.each([
    ['a message larger than maxMessageBytes', frame(0x81, 'x'.repeat(300)), 1009],
    ['text that is not UTF-8', frame(0x81, Uint8Array.of(0xff, 0xfe)), 1007],
    ['a frame without a mask', Buffer.from([0x81, 1, 0x61]), 1002],
    ['an unknown opcode', frame(0x83, ''), 1002],
    ['a reserved bit', frame(0xa1, ''), 1002],
    ['compression that was not agreed on', frame(0xc1, ''), 1002],
    ['a continuation of nothing', frame(0x80, ''), 1002],
    ['a close code that is not allowed', frame(0x88, Uint8Array.of(0x03, 0xed)), 1002],
  ])('%s closes with its code', async (_what, bytes, code) => {
    const started = await startTestSockets({ maxMessageBytes: 256 })
    const { stream, socket, drop } = await openBare(way, started)
    stream.write(bytes)
    expect(await socket.closed).toBe(code)
    const peer = await firstPeer(started)
    await eventually(() => expect(peer.ends).toBe(1))
    expect(started.context.events.map(({ event }) => event)).toContain('websocket_protocol_error')
    drop()
  })

  it('the wrong kind of frame is rejected, and the connection stays', async () => {
    const started = await startTestSockets()
    const { socket, drop } = await openBare(way, started)
    socket.send(Buffer.from('{"type":"ping"}'))
    socket.send('{"type":"ping"}')
    await eventually(() => expect(socket.texts).toHaveLength(2))
    const peer = await firstPeer(started)
    expect(peer.rejected.map(({ code }) => code)).toEqual(['wrong_frame_type'])
    expect(peer.received).toEqual([{ type: 'ping' }])
    drop()
  })

  it('messages that cannot be accepted are rejected, and the connection stays', async () => {
    const started = await startTestSockets()
    const { socket, drop } = await openBare(way, started)
    for (const text of ['{', '[]', '{"type":"what"}', '{"type":"subscribe"}', '{"type":"ping"}']) socket.send(text)
    const peer = await firstPeer(started)
    await eventually(() => expect(peer.received).toEqual([{ type: 'ping' }]))
    expect(peer.rejected.map(({ code }) => code)).toEqual([
      'malformed_message',
      'malformed_message',
      'unknown_type',
      'invalid_field',
    ])
    drop()
  })
})

describe.each(WAYS)('the end of a connection over %s', (way) => {
  it('comes with the close code of its error and the reason, after what was sent before', async () => {
    const started = await startTestSockets()
    const { socket } = await openBare(way, started)
    const peer = await firstPeer(started)
    peer.send({ type: 'echo', data: 'last' })
    peer.connection.close('disconnected', 'go away '.repeat(30))
    peer.connection.close('internal_error', 'too late')
    peer.send({ type: 'echo', data: 'too late' })
    expect(await socket.closed).toBe(4206)
    expect(socket.texts).toEqual(['{"type":"echo","data":"last"}'])
    await eventually(() => expect(peer.ends).toBe(1))
  })

  it('by the client is answered, told once, and nothing is written after it', async () => {
    const started = await startTestSockets()
    const { socket, stream } = await openBare(way, started)
    const peer = await firstPeer(started)
    socket.close(4321)
    expect(await socket.closed).toBe(4321)
    for (let i = 0; i < 3; i++) peer.send({ type: 'echo', data: i })
    await once(stream, 'close')
    await eventually(() => expect(peer.ends).toBe(1))
    peer.connection.close('internal_error', '')
    expect(socket.texts).toEqual([])
    expect(started.context.traffic[peer.connection.transport]).toMatchObject({ connections: 0, opened: 1 })
  })

  it('is told once when the line is cut', async () => {
    const started = await startTestSockets()
    const { drop } = await openBare(way, started)
    const peer = await firstPeer(started)
    drop()
    await eventually(() => expect(peer.ends).toBe(1))
    peer.send({ type: 'pong' })
    peer.connection.close('internal_error', '')
    expect(peer.ends).toBe(1)
  })

  it('is told once when the client ends its side without a word', async () => {
    const started = await startTestSockets()
    const { stream } = await openBare(way, started)
    const peer = await firstPeer(started)
    stream.end()
    await eventually(() => expect(peer.ends).toBe(1))
  })

  it('does not wait for a client that never finishes it', async () => {
    const started = await startTestSockets({}, { closeTimeoutMs: 200 })
    const { socket, stream } = await openBare(way, started)
    socket.answersClose = false
    const peer = await firstPeer(started)
    peer.connection.close('heartbeat_timeout', '')
    expect(await socket.closed).toBe(4003)
    await eventually(() => expect(peer.ends).toBe(1))
    stream.destroy()
  })

  it('does not wait for a client that ended its side and reads nothing', async () => {
    const started = await startTestSockets({}, { closeTimeoutMs: 200 })
    const { stream } = await openBare(way, started)
    const peer = await firstPeer(started)
    stream.pause()
    peer.connection.send(Buffer.alloc(64 * 1024 * 1024))
    await new Promise((resolve) => setImmediate(resolve))
    stream.end()
    peer.connection.close('heartbeat_timeout', '')
    await eventually(() => expect(peer.ends).toBe(1))
    stream.destroy()
  })
})

describe.each(WAYS)('a client that never reads over %s', (way) => {
  it('is disconnected as a slow consumer, and holds no more than the limit', async () => {
    const started = await startTestSockets({ maxBufferedBytes: 100_000 })
    const { stream } = await openBare(way, started)
    const peer = await firstPeer(started)
    stream.pause()
    const message: ServerMessage = { type: 'echo', data: 'x'.repeat(10_000) }
    let sent = 0
    const before = process.memoryUsage().arrayBuffers
    while (peer.ends === 0 && sent < 5000) {
      for (let i = 0; i < 5; i++, sent++) peer.send({ ...message })
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(peer.ends).toBe(1)
    expect(sent).toBeLessThan(5000)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000)
    expect(started.context.events.filter(({ event }) => event === 'slow_consumer')).toEqual([
      {
        event: 'slow_consumer',
        details: { transport: peer.connection.transport, remoteAddress: '127.0.0.1', bufferedBytes: expect.any(Number) },
      },
    ])
    // Sending on is harmless.
    peer.send(message)
    stream.destroy()
  })

  it('is told the code when it reads again in time', async () => {
    const started = await startTestSockets({ maxBufferedBytes: 100_000 })
    const { stream, socket } = await openBare(way, started)
    const peer = await firstPeer(started)
    stream.pause()
    for (let sent = 0; peer.ends === 0 && sent < 5000; sent += 5) {
      for (let i = 0; i < 5; i++) peer.send({ type: 'echo', data: 'x'.repeat(10_000) })
      await new Promise((resolve) => setImmediate(resolve))
    }
    stream.resume()
    expect(await socket.closed).toBe(4002)
  })

  it('that pings without end is cut off', async () => {
    const started = await startTestSockets()
    const { stream } = await openBare(way, started)
    const peer = await firstPeer(started)
    stream.pause()
    stream.on('error', () => {})
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(0x89, 'x'.repeat(100))))
    let sent = 0
    while (peer.ends === 0 && sent < 2000 && !stream.destroyed) {
      if (stream.write(pings)) sent++
      await new Promise((resolve) => setImmediate(resolve))
    }
    await eventually(() => expect(peer.ends).toBe(1))
    stream.destroy()
  })
})

describe.each(WAYS)('signs of life over %s', (way) => {
  it('are asked for by a ping, and a pong is one', async () => {
    const started = await startTestSockets()
    const { drop } = await openBare(way, started)
    const peer = await firstPeer(started)
    peer.connection.probe?.()
    await eventually(() => expect(peer.signs).toBe(1))
    drop()
    await eventually(() => expect(peer.ends).toBe(1))
    peer.connection.probe?.()
  })
})

describe.each(WAYS)('the echo over %s', (way) => {
  const openEcho = (started: StartedSockets) => openBare(way, started, '/fusewire/v1/echo')

  it('sends every message back as it came, text or binary', async () => {
    const started = await startTestSockets()
    const { socket, drop } = await openEcho(started)
    socket.send('héllo')
    socket.send(Uint8Array.of(1, 2, 3))
    socket.send('')
    await eventually(() => expect(socket.texts).toEqual(['héllo', '\x01\x02\x03', '']))
    expect(started.context.engine.peers).toHaveLength(0)
    drop()
    const { transport } = way === 'HTTP/2' ? { transport: 'websocket-h2' as const } : { transport: 'websocket' as const }
    await eventually(() =>
      expect(started.context.traffic[transport]).toMatchObject({ connections: 0, opened: 1, bytesIn: 9, bytesOut: 9 }),
    )
  })

  it('holds messages to the limit', async () => {
    const { socket } = await openEcho(await startTestSockets({ maxMessageBytes: 10 }))
    socket.send('x'.repeat(11))
    expect(await socket.closed).toBe(1009)
  })

  it('reads no faster than its client does, and loses nothing', async () => {
    const started = await startTestSockets({ maxBufferedBytes: 400_000 })
    const { stream, socket } = await openEcho(started)
    stream.pause()
    const text = 'x'.repeat(10_000)
    const isTaken = async (): Promise<boolean> => {
      for (let turn = 0; turn < 200 && stream.writableLength > 0; turn++) await new Promise((resolve) => setImmediate(resolve))
      return stream.writableLength === 0
    }
    let count = 0
    // Until the server takes no more. What there is room for in between, tens of megabytes maybe, is up to the kernel.
    do {
      for (let i = 0; i < 100; i++) socket.send(`${count++} ${text}`)
    } while ((await isTaken()) && count < 20_000)
    expect(stream.writableLength).toBeGreaterThan(0)
    stream.resume()
    await eventually(() => expect(socket.messages).toHaveLength(count), { timeoutMs: 20_000 })
    expect(socket.texts.map((echoed) => Number.parseInt(echoed, 10))).toEqual(Array.from({ length: count }, (_, i) => i))
    stream.destroy()
  }, 30_000)

  it('ends with the server', async () => {
    const started = await startTestSockets()
    const { socket } = await openEcho(started)
    started.webSockets.close()
    expect(await socket.closed).toBe(4001)
  })
})

describe('compression', () => {
  const text = 'abc'.repeat(1000)

  it.each([
    [true, 'permessage-deflate'],
    [false, ''],
  ])('is used with a ws client that offers it: %s', async (perMessageDeflate, extensions) => {
    const started = await startTestSockets()
    const socket = await openWs(`ws://127.0.0.1:${started.port}/ws`, [], { perMessageDeflate })
    expect(socket.extensions).toBe(extensions)
    const peer = await firstPeer(started)
    for (let i = 0; i < 5; i++) peer.send({ type: 'echo', data: `${i}${text}` })
    peer.send({ type: 'pong' })
    await eventually(() => expect(socket.texts).toHaveLength(6))
    expect(socket.texts.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((i) => JSON.stringify({ type: 'echo', data: `${i}${text}` })))
    socket.send(`{"type":"echo","data":"${text}"}`)
    await eventually(() => expect(peer.received).toEqual([{ type: 'echo', data: text }]))
    socket.terminate()
  })

  it('is not offered when it is turned off', async () => {
    const { port } = await startTestSockets({}, { compression: false })
    expect((await openWs(`ws://127.0.0.1:${port}/ws`)).extensions).toBe('')
  })

  it('is agreed on over HTTP/2 too, without context takeover', async () => {
    const started = await startTestSockets()
    const session = await connectSession(`https://127.0.0.1:${started.tlsPort}`)
    const { headers } = await connectWebSocket(session, PATH, {
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
    })
    expect(headers['sec-websocket-extensions']).toBe('permessage-deflate; server_no_context_takeover; client_no_context_takeover')
    const peer = await firstPeer(started)
    expect(peer.connection.format.name).toBe('ws-json-deflate')
    session.destroy()
  })

  it('goes on without it when the client needs a smaller window', async () => {
    const started = await startTestSockets()
    const socket = await openWs(`ws://127.0.0.1:${started.port}/ws`, [], { perMessageDeflate: { serverMaxWindowBits: 10 } })
    expect(socket.extensions).toBe('')
    const peer = await firstPeer(started)
    expect(peer.connection.format.name).toBe('ws-json')
  })

  it('reaches all its connections as the same bytes', async () => {
    const started = await startTestSockets()
    const [plain, one, two] = await Promise.all(
      [false, true, true].map((perMessageDeflate) => openWs(`ws://127.0.0.1:${started.port}/ws`, [], { perMessageDeflate })),
    )
    await eventually(() => expect(started.context.engine.peers).toHaveLength(3))
    started.context.engine.broadcast({ type: 'echo', data: text })
    for (const socket of [plain, one, two])
      await eventually(() => expect(socket?.texts).toEqual([JSON.stringify({ type: 'echo', data: text })]))
    const formats = new Set(started.context.engine.peers.map(({ connection }) => connection.format))
    expect([...formats].map(({ name }) => name).sort()).toEqual(['ws-json', 'ws-json-deflate'])
  })

  it('does not let a small message grow beyond maxMessageBytes', async () => {
    const started = await startTestSockets({ maxMessageBytes: 1000 })
    const socket = await openWs(`ws://127.0.0.1:${started.port}/ws`)
    socket.send('x'.repeat(100_000))
    expect((await closeOf(socket)).code).toBe(1009)
  })
})

describe('WebSocket over HTTP/2 (RFC 8441)', () => {
  it('answers a key, and needs none', async () => {
    const { tlsPort } = await startTestSockets()
    const session = await connectSession(`https://127.0.0.1:${tlsPort}`)
    const bare = await connectWebSocket(session)
    expect(bare.status).toBe(200)
    expect(bare.headers).not.toHaveProperty('sec-websocket-accept')
    const keyed = await connectWebSocket(session, PATH, { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' })
    // The example of RFC 6455 section 1.3.
    expect(keyed.headers['sec-websocket-accept']).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    session.destroy()
  })

  it.each(['http', 'https'])('carries several connections on one session over %s:', async (scheme) => {
    const started = await startTestSockets()
    const session = await connectSession(`${scheme}://127.0.0.1:${scheme === 'https' ? started.tlsPort : started.port}`)
    const sockets = await Promise.all(
      Array.from({ length: 20 }, () => connectWebSocket(session, PATH, { 'sec-websocket-protocol': SUBPROTOCOL.json })),
    )
    for (const [i, { socket }] of sockets.entries()) socket.send(`{"type":"echo","data":${i}}`)
    for (const [i, { socket, headers }] of sockets.entries()) {
      expect(headers['sec-websocket-protocol']).toBe(SUBPROTOCOL.json)
      await eventually(() => expect(socket.texts).toEqual([`{"type":"echo","data":${i}}`]))
    }
    expect(started.context.engine.peers[0]?.connection).toMatchObject({ transport: 'websocket-h2', remoteAddress: '127.0.0.1' })
    session.destroy()
    await eventually(() =>
      expect(started.context.engine.peers.map(({ ends }) => ends)).toEqual(Array.from({ length: 20 }, () => 1)),
    )
  })

  it('serves undici', async () => {
    const { Agent, WebSocket: UndiciWebSocket } = await import('undici')
    const started = await startTestSockets()
    const dispatcher = new Agent({ allowH2: true, connect: { rejectUnauthorized: false } })
    const socket = new UndiciWebSocket(`wss://localhost:${started.tlsPort}${PATH}`, { protocols: [SUBPROTOCOL.json], dispatcher })
    const texts: unknown[] = []
    socket.addEventListener('message', ({ data }) => texts.push(data))
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', ({ error }) => reject(error))
    })
    socket.send('{"type":"PING"}')
    await eventually(() => expect(texts).toEqual(['{"type":"pong"}']))
    const peer = await firstPeer(started)
    const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))
    peer.connection.close('server_draining', 'later')
    expect(await closed).toBe(4001)
    await eventually(() => expect(peer.ends).toBe(1))
    await dispatcher.destroy()
  })

  it('closes a thousand connections of one session, from either side, each with its own code', { timeout: 30_000 }, async () => {
    const started = await startTestSockets()
    const session = await connectSession(`https://127.0.0.1:${started.tlsPort}`)
    for (let i = 0; i < 1000; i += 50) {
      const sockets: StreamWebSocket[] = []
      for (const { socket } of await Promise.all(Array.from({ length: 50 }, () => connectWebSocket(session))))
        sockets.push(socket)
      const peers = await eventually(() => {
        const { peers } = started.context.engine
        if (peers.length < i + 50) throw new Error('not all are there')
        return peers.slice(i)
      })
      sockets.forEach((socket, n) => {
        if (n % 2 === 0) socket.close(4300 + n)
      })
      peers.forEach((peer, n) => {
        if (n % 2 === 1) peer.connection.close('overloaded', 'later')
      })
      const codes = await Promise.all(sockets.map((socket) => socket.closed))
      // The order of peers is that of the streams.
      expect(codes).toEqual(sockets.map((_, n) => (n % 2 === 0 ? 4300 + n : 4004)))
      await eventually(() => expect(peers.every(({ ends }) => ends === 1)).toBe(true))
    }
    expect(started.events).toEqual([])
    expect(session.destroyed).toBe(false)
    session.destroy()
  })

  it('gives streams back of clients that never end their half, as Firefox', async () => {
    const started = await startTestSockets()
    const session = await connectSession(`https://127.0.0.1:${started.tlsPort}`)
    const { socket } = await connectWebSocket(session)
    const { stream } = socket
    socket.endsStream = false
    const reset = new Promise((resolve) => stream.on('close', resolve))
    socket.close(1000)
    await socket.closed
    await reset
    expect((stream as unknown as { rstCode: number }).rstCode).toBe(constants.NGHTTP2_NO_ERROR)
    session.destroy()
  })

  it('survives streams that are reset at any time', async () => {
    const started = await startTestSockets()
    const session = await connectSession(`https://127.0.0.1:${started.tlsPort}`)
    for (let i = 0; i < 30; i++) {
      const { socket } = await connectWebSocket(session)
      const stream = socket.stream as unknown as { close(code: number): void }
      if (i % 3 === 0) socket.send('{"type":"echo"}')
      if (i % 3 === 1) socket.close(1000)
      stream.close(i % 2 === 0 ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_NO_ERROR)
    }
    await eventually(() =>
      expect(started.context.engine.peers.map(({ ends }) => ends)).toEqual(Array.from({ length: 30 }, () => 1)),
    )
    expect((await connectWebSocket(session)).status).toBe(200)
    session.destroy()
  })
})
