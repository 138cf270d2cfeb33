import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect as connectHttp2, constants, type Http2ServerResponse } from 'node:http2'
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { eventually } from '@fusewire/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { dismiss } from './dismiss.ts'
import { PREFACE } from './first-bytes.ts'
import { Listener } from './listener.ts'
import { openTcp, openTls, readAll, writeByteByByte } from './testing/raw-client.ts'
import { type StartedListener, startListener } from './testing/start-listener.ts'

const running: StartedListener[] = []
const start = async (...options: Parameters<typeof startListener>): Promise<StartedListener> => {
  const started = await startListener(...options)
  running.push(started)
  return started
}
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ listener }) => listener.close()))
})

const REQUEST = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello'
const echo = (socket: Socket): void => {
  socket.on('data', (chunk) => socket.write(chunk))
  socket.on('end', () => socket.end())
}
const tlsOptions = { rejectUnauthorized: false, servername: 'localhost' }

/** One request over HTTP/2; gives the body. */
const requestHttp2 = async (authority: string): Promise<string> => {
  const session = connectHttp2(authority, tlsOptions)
  const stream = session.request({ ':path': '/' })
  let body = ''
  for await (const chunk of stream) body += chunk
  session.close()
  return body
}

const errorIn = (answer: string): { status: number; code: string } => ({
  status: Number(answer.split(' ')[1]),
  code: JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).error.code,
})

/** Relays one connection. Held bytes of the client arrive together, several TLS records in one read. */
const startRelay = async (to: number) => {
  let held: Buffer[] | undefined
  let stall: () => void = () => {}
  const stalling = new Promise<void>((resolve) => {
    stall = resolve
  })
  const relay = createTcpServer((client) => {
    relay.close()
    const server = connectTcp(to, '127.0.0.1')
    client.on('data', (chunk: Buffer) => (held ? held.push(chunk) : server.write(chunk)))
    client.on('end', () => server.end())
    let stalled = false
    server.on('data', (chunk) => {
      client.write(chunk)
      if (stalled || server.bytesRead < 1_000_000) return
      // What is behind this does not fit into the buffers between.
      stalled = true
      server.pause()
      stall()
    })
    server.on('end', () => client.end())
    hold = () => {
      held = []
      return async (byteLength) => {
        await eventually(() => Buffer.concat(held ?? []).length >= byteLength)
        server.write(Buffer.concat(held ?? []))
        held = undefined
        server.resume()
      }
    }
  })
  let hold: () => (byteLength: number) => Promise<void> = () => async () => {}
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  return { port: (relay.address() as AddressInfo).port, stalling, hold: () => hold() }
}

describe('the TLS port', () => {
  it('speaks HTTP/2 to a client that offers h2', async () => {
    const { tlsPort } = await start()
    expect(await requestHttp2(`https://127.0.0.1:${tlsPort}`)).toBe('HTTP/2.0 GET 0')
  })

  it.each([['http/1.1'], []])('speaks HTTP/1.1 to a client that offers %s', async (...alpn) => {
    const { tlsPort } = await start()
    const socket = await openTls(tlsPort, alpn.length > 0 ? alpn : undefined)
    const answer = readAll(socket)
    socket.write(REQUEST)
    expect(await answer).toContain('HTTP/1.1 POST 5')
  })

  it('hands a client that offers fusewire/1 to the raw transport, however little it sends at a time', async () => {
    const { tlsPort } = await start({ rawTcp: echo })
    const socket = await openTls(tlsPort, ['fusewire/1'])
    const answer = readAll(socket)
    await writeByteByByte(socket, '{"type":"ping"}\n')
    socket.end()
    expect(await answer).toBe('{"type":"ping"}\n')
  })

  it('refuses an unknown ALPN protocol with the alert no_application_protocol', async () => {
    const { tlsPort, events } = await start({ rawTcp: echo })
    await expect(openTls(tlsPort, ['bogus/1'])).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' })
    await eventually(() => expect(events.map(({ event }) => event)).toContain('tls_handshake_failed'))
  })

  it('does not offer fusewire/1 when that transport is off', async () => {
    const { tlsPort } = await start()
    await expect(openTls(tlsPort, ['fusewire/1'])).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' })
  })

  it('ends a TLS handshake that does not finish in time', async () => {
    const { tlsPort, events } = await start({}, { handshakeTimeoutMs: 100 })
    expect(await readAll(await openTcp(tlsPort))).toBe('')
    expect(events).toContainEqual(
      expect.objectContaining({ details: expect.objectContaining({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' }) }),
    )
  })

  it.each([
    ['before it', ''],
    ['within it', '\x16\x03\x01'],
  ])('lets a client go that ends its side of a TLS handshake %s', async (_when, bytes) => {
    const { tlsPort, events } = await start({}, { handshakeTimeoutMs: 60_000 })
    const socket = await openTcp(tlsPort)
    const answer = readAll(socket)
    socket.end(bytes, 'latin1')
    expect(await answer).toBe('')
    await eventually(() =>
      expect(events).toContainEqual(expect.objectContaining({ details: expect.objectContaining({ code: 'ECONNRESET' }) })),
    )
  })

  it('answers a client that has ended its side since the handshake', async () => {
    const { tlsPort } = await start({
      rawTcp: (socket) => void socket.resume().once('end', () => setImmediate(() => socket.end('late'))),
    })
    const socket = await openTls(tlsPort, ['fusewire/1'])
    const answer = readAll(socket)
    socket.end()
    expect(await answer).toBe('late')
  })

  it('survives bytes that are no TLS', async () => {
    const { tlsPort } = await start()
    const socket = await openTcp(tlsPort)
    const answer = readAll(socket)
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await answer
    expect(await requestHttp2(`https://127.0.0.1:${tlsPort}`)).toBe('HTTP/2.0 GET 0')
  })

  it('hands its servers to whoever replaces certificates', async () => {
    const attached: unknown[] = []
    const listener = new Listener({
      handlers: { request: () => {} },
      tls: { serverOptions: () => ({}), attach: (server) => attached.push(server) },
      log: () => {},
    })
    await listener.listenTls({ host: '127.0.0.1', port: 0 })
    await listener.close()
    expect(attached).toHaveLength(1)
  })
})

describe('the cleartext port', () => {
  it('speaks HTTP/2 to a client with prior knowledge', async () => {
    const { port } = await start()
    expect(await requestHttp2(`http://127.0.0.1:${port}`)).toBe('HTTP/2.0 GET 0')
  })

  it('takes the HTTP/2 preface byte by byte', async () => {
    const { port } = await start()
    const socket = await openTcp(port)
    const settings = readAll(socket, (text) => text.length >= 9)
    await writeByteByByte(socket, Buffer.concat([PREFACE, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]))
    // The fourth byte of a frame is its type: SETTINGS.
    expect((await settings).charCodeAt(3)).toBe(4)
    socket.destroy()
  })

  it('takes an HTTP/1.1 request byte by byte', async () => {
    const { port } = await start()
    const socket = await openTcp(port)
    const answer = readAll(socket)
    await writeByteByByte(socket, REQUEST)
    expect(await answer).toContain('HTTP/1.1 POST 5')
  })

  it('answers an HTTP/1 client that has ended its side', async () => {
    const { port } = await start()
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.end('GET / HTTP/1.0\r\n\r\n')
    expect(await answer).toContain('GET 0')
  })

  it('hands a connection that begins with { to the raw transport', async () => {
    const { port } = await start({ rawTcp: echo })
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.end('{"type":"ping"}\n')
    expect(await answer).toBe('{"type":"ping"}\n')
  })

  it('answers { by HTTP/1.1 when the raw transport is off', async () => {
    const { port } = await start()
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write('{"type":"ping"}\n')
    expect(errorIn(await answer)).toEqual({ status: 400, code: 'malformed_request' })
  })

  it.each([
    ['in its method', 'PRX * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['in its version', 'PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n'],
    ['in its end', 'PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n'],
  ])('answers and closes a preface that is wrong %s', async (_where, preface) => {
    const { port } = await start()
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write(preface)
    expect(errorIn(await answer)).toEqual({ status: 400, code: 'malformed_request' })
  })

  it('answers a preface that is cut short', async () => {
    const { port } = await start()
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.end('PRI * HT')
    expect(errorIn(await answer)).toEqual({ status: 400, code: 'malformed_request' })
  })

  it('ends a connection that says nothing, in silence', async () => {
    const { port } = await start({}, { handshakeTimeoutMs: 50 })
    expect(await readAll(await openTcp(port))).toBe('')
  })

  it('answers a connection that does not finish its preface in time', async () => {
    const { port } = await start({}, { handshakeTimeoutMs: 50 })
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write('PRI')
    expect(errorIn(await answer)).toEqual({ status: 408, code: 'request_timeout' })
  })

  it('survives clients that reset at once', async () => {
    const { port } = await start({ rawTcp: echo })
    for (const text of ['', 'PRI * HTTP/2.0\r\n', '{', 'GET / HTTP/1.1\r\n']) {
      const socket = await openTcp(port)
      if (text) socket.write(text)
      socket.resetAndDestroy()
    }
    expect(await requestHttp2(`http://127.0.0.1:${port}`)).toBe('HTTP/2.0 GET 0')
  })
})

describe('HTTP/1.1', () => {
  it('answers headers that are too large with 431', async () => {
    const { port } = await start({}, { maxHeaderBytes: 2048 })
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)
    expect(errorIn(await answer)).toEqual({ status: 431, code: 'header_too_large' })
  })

  it('answers headers that do not end in time with 408, though it never listened itself', async () => {
    const { port } = await start({}, { handshakeTimeoutMs: 100 })
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n')
    expect(errorIn(await answer)).toEqual({ status: 408, code: 'request_timeout' })
  })

  it('does not write an error into an answer that has begun', async () => {
    const { port } = await start({
      request: (_request, response) => void (response as ServerResponse).writeHead(200).write('begun'),
    })
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    socket.once('data', () => socket.write('garbage\r\n\r\n'))
    expect(await answer).not.toContain('400')
  })

  it('reads a large request behind a large answer that has not left yet', async () => {
    const large = 'x'.repeat(20_000_000)
    const { tlsPort } = await start({
      request: (request, response) => {
        let length = 0
        request.on('data', (chunk: Buffer) => {
          length += chunk.length
        })
        request.on('end', () => (response as ServerResponse).end(request.method === 'GET' ? large : `received ${length}`))
      },
    })
    const relay = await startRelay(tlsPort)
    const socket = await openTls(relay.port, ['http/1.1'])
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await relay.stalling
    const release = relay.hold()
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 60000\r\n\r\n${large.slice(0, 60_000)}`)
    await release(60_000)
    expect((await readAll(socket)).slice(-100)).toContain('received 60000')
  })

  it('answers a request without a host like any other that is malformed', async () => {
    const { port } = await start()
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write('GET / HTTP/1.1\r\n\r\n')
    expect(errorIn(await answer)).toEqual({ status: 400, code: 'malformed_request' })
    const old = await openTcp(port)
    const oldAnswer = readAll(old)
    old.write('GET / HTTP/1.0\r\n\r\n')
    expect(await oldAnswer).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('refuses CONNECT', async () => {
    const { port } = await start()
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write('CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(errorIn(await answer)).toEqual({ status: 405, code: 'method_not_allowed' })
  })

  it('hands over WebSocket upgrades, and no other ones', async () => {
    const upgrades: unknown[] = []
    const { port } = await start({
      upgrade: (request, socket) => {
        upgrades.push(request.headers.host)
        socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      },
    })
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n')
    expect(await answer).toContain('101')
    expect(upgrades).toEqual(['a'])
    socket.destroy()
  })

  it.each([[undefined], [() => {}]])('answers a request that offers h2c as any other, its body included', async (upgrade) => {
    const { port } = await start(upgrade && { upgrade })
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.write(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n' +
        'Connection: close, Upgrade, HTTP2-Settings\r\n\r\nhel',
    )
    socket.write('lo')
    expect(await answer).toContain('HTTP/1.1 POST 5')
  })

  it.skipIf(spawnSync('curl', ['-V']).status !== 0)('is what curl --http2 gets in cleartext', async () => {
    const { port } = await start({ upgrade: () => {} })
    const { spawn } = await import('node:child_process')
    const curl = spawn('curl', ['-s', '--noproxy', '*', '--http2', '-d', 'hello', `http://127.0.0.1:${port}/`])
    const body = readAll(curl.stdout as unknown as Socket)
    expect(await body).toBe('HTTP/1.1 POST 5')
  })
})

describe('HTTP/2', () => {
  it('offers extended CONNECT where there is a handler for it', async () => {
    const withHandler = await start({ connectStream: () => {} })
    const without = await start()
    for (const [{ tlsPort }, offered] of [
      [withHandler, true],
      [without, false],
    ] as const) {
      const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, tlsOptions)
      const [settings] = await once(session, 'remoteSettings')
      expect(settings.enableConnectProtocol).toBe(offered)
      session.destroy()
    }
  })

  it.each([
    ['no protocol', {}, 405, 'method_not_allowed'],
    ['an unknown protocol', { ':protocol': 'connect-udp', ':scheme': 'https', ':path': '/' }, 404, 'unsupported_transport'],
  ])('refuses CONNECT with %s', async (_case, headers, status, code) => {
    const { tlsPort } = await start({ connectStream: () => {} })
    const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, tlsOptions)
    await once(session, 'remoteSettings')
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'a', ...headers })
    const [answer] = await once(stream, 'response')
    let body = ''
    for await (const chunk of stream) body += chunk
    expect(answer[':status']).toBe(status)
    expect(JSON.parse(body).error.code).toBe(code)
    session.destroy()
  })

  it('resets a stream whose headers are too large, and goes on', async () => {
    const { tlsPort } = await start({}, { maxHeaderBytes: 2048 })
    const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, tlsOptions)
    await once(session, 'remoteSettings')
    const stream = session.request({ ':path': '/', x: 'x'.repeat(8000) })
    await expect(once(stream, 'response')).rejects.toThrow('NGHTTP2_ENHANCE_YOUR_CALM')
    const next = session.request({ ':path': '/' })
    expect((await once(next, 'response'))[0][':status']).toBe(200)
    session.destroy()
  })

  it('refuses more streams at a time than the limit', async () => {
    const { tlsPort } = await start({ request: () => {} }, { http2MaxConcurrentStreams: 2 })
    const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, tlsOptions)
    const [settings] = await once(session, 'remoteSettings')
    expect(settings.maxConcurrentStreams).toBe(2)
    session.destroy()
  })

  it('destroys a session that aborts too many streams with ENHANCE_YOUR_CALM, and says so in the log', async () => {
    let open = 0
    const { tlsPort, events } = await start({ request: () => open++ }, { http2MaxResets: 20 })
    const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, tlsOptions)
    session.on('error', () => {})
    const goaway = once(session, 'goaway')
    const streams = Array.from({ length: 40 }, () => session.request({ ':path': '/' }).on('error', () => {}))
    await eventually(() => expect(open).toBe(40))
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
    const [code] = await goaway
    expect(code).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    expect(events).toEqual([{ event: 'http2_resets', details: { remoteAddress: '127.0.0.1' } }])
  })

  it('counts streams that are opened and aborted in the same packet', async () => {
    const { tlsPort, port, events } = await start({ request: () => {} }, { http2MaxResets: 20 })
    const frames = [PREFACE, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]
    for (let stream = 1; stream < 80; stream += 2) {
      // HEADERS with END_HEADERS and END_STREAM: GET https://a/ (RFC 7541, static table), then RST_STREAM with CANCEL.
      frames.push(Buffer.from([0, 0, 6, 1, 5, 0, 0, 0, stream, 0x82, 0x87, 0x84, 0x41, 1, 0x61]))
      frames.push(Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, stream, 0, 0, 0, constants.NGHTTP2_CANCEL]))
    }
    for (const socket of [await openTls(tlsPort, ['h2']), await openTcp(port)]) {
      const answer = readAll(socket)
      socket.write(Buffer.concat(frames))
      await answer
    }
    const reset = { event: 'http2_resets', details: { remoteAddress: '127.0.0.1' } }
    expect(events).toEqual([reset, reset])
  })

  it('does not count streams that end with their session', async () => {
    let open = 0
    let closed = 0
    const { tlsPort, events } = await start(
      {
        request: (_request, response) => {
          open++
          ;(response as Http2ServerResponse).on('close', () => closed++).writeHead(200)
        },
      },
      { http2MaxResets: 5 },
    )
    const socket = await openTls(tlsPort, ['h2'])
    const session = connectHttp2('https://localhost', { createConnection: () => socket })
    session.on('error', () => {})
    for (let i = 0; i < 50; i++) session.request({ ':path': '/' }).on('error', () => {})
    await eventually(() => expect(open).toBe(50))
    socket.destroy()
    await eventually(() => expect(closed).toBe(50))
    // What the client had not read makes its kernel reset the connection, which is an event of its own.
    expect(events.map(({ event }) => event)).not.toContain('http2_resets')
  })

  it('does not count streams that have been answered', async () => {
    const { tlsPort, events } = await start({}, { http2MaxResets: 5 })
    const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, tlsOptions)
    for (let i = 0; i < 30; i++) {
      const stream = session.request({ ':path': '/' })
      stream.resume()
      await once(stream, 'end')
      stream.close(constants.NGHTTP2_CANCEL)
    }
    expect(events).toEqual([])
    session.destroy()
  })

  it('ends a session that never sends its preface', async () => {
    const { tlsPort, events } = await start({}, { handshakeTimeoutMs: 100 })
    await readAll(await openTls(tlsPort, ['h2']))
    expect(events.map(({ event }) => event)).toEqual(['http2_handshake_timeout'])
  })

  it.each([
    ['HTTP/1.1', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a frame that is no SETTINGS', Buffer.concat([PREFACE, Buffer.alloc(64, 0x41)])],
    ['a frame longer than allowed', Buffer.concat([PREFACE, Buffer.from([0xff, 0xff, 0xff, 4, 0, 0, 0, 0, 0])])],
  ])('ends a session that begins with %s', async (_what, bytes) => {
    // At once from Node 24 on, before that at the deadline.
    const { tlsPort } = await start({}, { handshakeTimeoutMs: 500 })
    const socket = await openTls(tlsPort, ['h2'])
    const answer = readAll(socket)
    socket.write(bytes)
    await answer
    expect(await requestHttp2(`https://127.0.0.1:${tlsPort}`)).toBe('HTTP/2.0 GET 0')
  })

  it('ends when the client ends its side', async () => {
    const { port } = await start()
    const socket = await openTcp(port)
    const answer = readAll(socket)
    socket.end(Buffer.concat([PREFACE, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]))
    expect(await answer).not.toBe('')
  })
})

describe('listening', () => {
  it('says which port is in use, and under which option', async () => {
    const other = createTcpServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const listener = new Listener({ handlers: { request: () => {} }, log: () => {} })
    await expect(listener.listenCleartext({ host: '127.0.0.1', port, portOption: 'cleartextPort' })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(new RegExp(`^cleartextPort: 127.0.0.1:${port} is in use`)),
      cause: { code: 'EADDRINUSE' },
    })
    await listener.close()
    other.close()
  })

  it('says that an address is not of this machine', async () => {
    const listener = new Listener({ handlers: { request: () => {} }, log: () => {} })
    await expect(listener.listenCleartext({ host: '192.0.2.1', port: 0 })).rejects.toThrow(
      /^host: 192\.0\.2\.1 is not an address/,
    )
    await listener.close()
  })
})

describe('stop', () => {
  it('takes no more connections, and goes on with those that are there', async () => {
    const started = await startListener()
    const [h1, silent] = [await openTcp(started.port), await openTls(started.tlsPort, ['http/1.1'])]
    const session = connectHttp2(`https://127.0.0.1:${started.tlsPort}`, tlsOptions)
    const first = session.request({ ':path': '/' })
    expect((await once(first, 'response'))[0][':status']).toBe(200)
    started.listener.stop()
    started.listener.stop()
    const refused = connectTls({ port: started.tlsPort, host: '127.0.0.1', rejectUnauthorized: false })
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' })
    for (const socket of [h1, silent]) {
      const answer = readAll(socket, (text) => text.endsWith('HTTP/1.1 GET 0'))
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      expect(await answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*keep-alive/u)
      socket.destroy()
    }
    session.destroy()
    await started.listener.close()
  })
})

describe('dismiss', () => {
  it('asks an HTTP/2 client to open its next stream elsewhere, and loses none that is on its way', async () => {
    const responses: Http2ServerResponse[] = []
    const started = await startListener({
      request: (_request, response) => {
        responses.push(response as Http2ServerResponse)
        ;(response as Http2ServerResponse).writeHead(200).write('begun')
      },
    })
    const session = connectHttp2(`https://127.0.0.1:${started.tlsPort}`, tlsOptions)
    const stream = session.request({ ':path': '/' })
    await once(stream, 'response')
    const told = once(session, 'goaway')
    for (const response of [...responses, ...responses]) dismiss(response)
    // RFC 9113 section 6.8: a first GOAWAY with the highest id closes no stream.
    expect((await told).slice(0, 2)).toEqual([constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1])
    responses[0]?.end(' and finished')
    let body = ''
    for await (const chunk of stream) body += chunk
    expect(body).toBe('begun and finished')
    await started.listener.close()
  })

  it('asks an HTTP/1.1 client to close', async () => {
    const started = await startListener({
      request: (_request, response) => {
        dismiss(response)
        response.end('bye')
      },
    })
    const socket = await openTcp(started.port)
    const answer = readAll(socket)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await answer).toMatch(/connection: close\r\n[\s\S]*bye$/iu)
    await started.listener.close()
  })
})

describe('close', () => {
  it('waits for requests under way, and closes idle connections at once', async () => {
    let answer: () => void = () => {}
    const started = await startListener({
      request: (_request, response) => {
        answer = () => response.end('late')
      },
    })
    const [idle, busy, silent, tls] = [
      await openTcp(started.port),
      await openTcp(started.port),
      await openTcp(started.port),
      await openTls(started.tlsPort, ['http/1.1']),
    ]
    const late = readAll(busy)
    busy.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => {
      answer()
      return busy.bytesRead > 0
    })
    busy.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const before = answer
    await eventually(() => answer !== before)
    const closed = started.listener.close(60_000)
    await Promise.all([readAll(idle), readAll(silent), readAll(tls)])
    answer()
    expect(await late).toMatch(/late[\s\S]*late/)
    await closed
  })

  it('takes nothing of an answer that has ended and has not left yet', async () => {
    const size = 3_000_000
    let ended = false
    const started = await startListener({
      request: (_request, response) => {
        response.end('x'.repeat(size))
        ended = true
      },
    })
    const socket = await openTls(started.tlsPort, ['http/1.1'])
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => expect(ended).toBe(true))
    const closed = started.listener.close(60_000)
    const answer = readAll(socket)
    socket.resume()
    expect((await answer).length).toBeGreaterThan(size)
    socket.end()
    await closed
  })

  it('waits for a request that has begun to come', async () => {
    const started = await startListener()
    const socket = await openTcp(started.port)
    const first = readAll(socket, (text) => text.endsWith('GET 0'))
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await first
    socket.removeAllListeners('data')
    const second = readAll(socket)
    socket.write('GET / HTTP/1.1\r\nHo')
    // Whatever is sent after it has been read after it.
    const other = await openTcp(started.port)
    const otherAnswer = readAll(other, (text) => text.endsWith('GET 0'))
    other.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await otherAnswer
    const closed = started.listener.close(60_000)
    socket.write('st: a\r\n\r\n')
    expect(await second).toMatch(/connection: close\r\n[\s\S]*GET 0$/iu)
    await closed
  })

  it('tells HTTP/2 clients to go, and lets their streams finish', async () => {
    let finish: () => void = () => {}
    const started = await startListener({
      request: (_request, response) => {
        ;(response as Http2ServerResponse).writeHead(200)
        finish = () => response.end('done')
      },
    })
    const session = connectHttp2(`https://127.0.0.1:${started.tlsPort}`, tlsOptions)
    const stream = session.request({ ':path': '/' })
    await once(stream, 'response')
    const goaway = once(session, 'goaway')
    const closed = started.listener.close(60_000)
    expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR)
    finish()
    let body = ''
    for await (const chunk of stream) body += chunk
    expect(body).toBe('done')
    await closed
  })

  it('ends what is left after the grace, and is idempotent', async () => {
    const started = await startListener({ request: () => {}, rawTcp: () => {} })
    const raw = await openTcp(started.port)
    raw.write('{')
    const http = await openTcp(started.port)
    http.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const session = connectHttp2(`https://127.0.0.1:${started.tlsPort}`, tlsOptions)
    session.on('error', () => {})
    session.request({ ':path': '/' }).on('error', () => {})
    await once(session, 'remoteSettings')
    const gone = Promise.all([readAll(raw), readAll(http), once(session, 'close')])
    const closing = started.listener.close(50)
    await closing
    await gone
  })

  it('takes no more connections', async () => {
    const started = await startListener()
    await started.listener.close()
    const refused = connectTls({ port: started.tlsPort, host: '127.0.0.1', rejectUnauthorized: false })
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' })
  })
})

describe('replayRequest', () => {
  it('makes a plain request of one that offered an upgrade, on every version of Node', async () => {
    const { replayRequest } = await import('./replay-request.ts')
    // Node 22.12 hands over every upgrade; newer ones do when nothing tells them otherwise.
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => response.end(`${request.method} ${request.headers['x-kept']} ${body}`))
    })
    server.on('upgrade', (request, _socket, head) => {
      server.emit('connection', replayRequest(request, request.socket, head))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = await openTcp((server.address() as { port: number }).port)
    const answer = readAll(socket)
    socket.write('GET /a?b=c HTTP/1.1\r\nHost: a\r\nX-Kept: yes\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n')
    expect(await answer).toContain('GET yes')
    server.close()
  })
})
