import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { PATHS } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { harmTest } from '../bystanders.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { handshakeHead, openSocket, upgrade } from '../wire/open-websocket.ts'
import { readUntil } from '../wire/read-until.ts'

const MAX_HEADER_BYTES = 16_384
const MAX_RESETS = 200

const it = harmTest(DEVELOPMENT)

const HEAD = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n'
const FILLER = `X-Filler: ${'x'.repeat(MAX_HEADER_BYTES)}\r\n`

/** Bytes that are no request, or one too many, with the documented answer. */
const BAD_REQUESTS = [
  { name: 'a preface that goes wrong', bytes: 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', status: 400, code: 'malformed_request' },
  { name: 'an oversized header', bytes: `${HEAD}${FILLER}\r\n`, status: 431, code: 'header_too_large' },
  { name: 'an oversized path', bytes: `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`, status: 431, code: 'header_too_large' },
  {
    name: 'many headers, too large together',
    bytes: `${HEAD}${Array.from({ length: 1000 }, (_, n) => `X-${n}: ${'x'.repeat(20)}\r\n`).join('')}\r\n`,
    status: 431,
    code: 'header_too_large',
  },
  {
    name: 'an oversized WebSocket handshake',
    bytes: handshakeHead({ headers: { cookie: 'x'.repeat(MAX_HEADER_BYTES) } }),
    status: 431,
    code: 'header_too_large',
  },
  { name: 'an unknown version of HTTP', bytes: 'GET / HTTP/9.9\r\nHost: a\r\n\r\n', status: 400, code: 'malformed_request' },
  { name: 'a request without a host', bytes: 'GET / HTTP/1.1\r\n\r\n', status: 400, code: 'malformed_request' },
  { name: 'two hosts', bytes: 'GET /livez HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', status: 400, code: 'malformed_request' },
  { name: 'a host that is none', bytes: 'GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n', status: 400, code: 'malformed_request' },
  {
    name: 'the target of another protocol',
    bytes: 'GET ftp://a/livez HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    name: 'a WebSocket handshake with two hosts',
    bytes: handshakeHead({ headers: { Host: 'localhost', host: 'localhost' } }),
    status: 400,
    code: 'malformed_request',
  },
  { name: 'binary rubbish', bytes: '\x00\x01\x02\xff\xfe\r\n\r\n', status: 400, code: 'malformed_request' },
  { name: 'SSH', bytes: 'SSH-2.0-OpenSSH_9.9\r\n', status: 400, code: 'malformed_request' },
  { name: 'a header name with a space', bytes: `${HEAD}X Y: 1\r\n\r\n`, status: 400, code: 'malformed_request' },
  {
    name: 'two lengths that disagree',
    bytes: 'POST /v1/publish HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    status: 400,
    code: 'malformed_request',
  },
  {
    name: 'a length and chunks at once',
    bytes: 'POST /v1/publish HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    name: 'a chunk without a length',
    bytes: 'POST /v1/publish HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    name: 'CONNECT',
    bytes: 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n',
    status: 405,
    code: 'method_not_allowed',
  },
]

describe.each(['https', 'http'] as const)('HTTP/1.1 over %s', (scheme) => {
  it.for(BAD_REQUESTS)('$name is answered with $status $code', async ({ bytes, status, code }, { server }) => {
    const socket = await openSocket(server[scheme])
    socket.write(Buffer.from(bytes, 'latin1'))
    const { text } = await readUntil(socket, undefined)
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `, 'u'))
    expect(text).toContain(`"code":"${code}"`)
    socket.destroy()
  })
})

describe('HTTP/1.1', () => {
  it('a target with a host in it is understood, over a WebSocket too', async ({ server }) => {
    const { host } = new URL(server.http)
    const socket = await openSocket(server.http)
    socket.write(`GET ${server.http}/livez HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n`)
    expect((await readUntil(socket, undefined)).text).toMatch(/^HTTP\/1\.1 200 /u)
    const webSocket = await upgrade(server.http, { path: `ws://${host}${PATHS.webSocket}` })
    webSocket.destroy()
  })

  it('a request that is cut before its end has no effect', async ({ server, api }) => {
    const body = '{"channel":"cut","data":1}'
    for (const path of ['/v1/publish', '/fusewire/v1/poll', '/fusewire/v1/stream']) {
      const socket = await openSocket(server.http)
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
      socket.write(`${head}Content-Length: ${body.length + 1}\r\n\r\n${body}`)
      socket.destroy()
    }
    expect((await api.history('cut')).publications).toEqual([])
  })

  it('what comes behind a refused request on the same connection is not read as another', async ({ server }) => {
    const socket = await openSocket(server.http)
    socket.write(`GET / HTTP/9.9\r\n\r\n${HEAD}\r\n`)
    const { text } = await readUntil(socket, undefined)
    expect(text.match(/HTTP\/1\.1 /gu)).toHaveLength(1)
  })
})

describe('TLS', () => {
  const handshake = async (port: number, options: object): Promise<string> => {
    const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', ...options })
    onTestFinished(() => {
      socket.destroy()
    })
    try {
      await once(socket, 'secureConnect')
      return 'connected'
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? ''
    }
  }

  it('an unknown ALPN protocol is refused with the alert no_application_protocol', async ({ server }) => {
    for (const ALPNProtocols of [['fusewire/2'], ['h3', 'spdy/3.1'], ['H2']])
      expect(await handshake(server.httpsPort, { ALPNProtocols })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
    expect(await handshake(server.httpsPort, { ALPNProtocols: ['h3', 'http/1.1'] })).toBe('connected')
  })

  it('a version before 1.2, and a cipher without authenticated encryption, are refused', async ({ server }) => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
    expect(await handshake(server.httpsPort, old)).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/u)
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA' }
    expect(await handshake(server.httpsPort, weak)).toMatch(/HANDSHAKE_FAILURE/u)
  })

  it('what is no TLS is hung up on', async ({ server }) => {
    for (const bytes of [`${HEAD}\r\n`, '{"type":"ping"}\n', '\x16\x03\x01\xff\xff\xff']) {
      const socket = await openSocket(server.https.replace('https', 'http'))
      socket.write(Buffer.from(bytes, 'latin1'))
      if (bytes.startsWith('\x16')) socket.end()
      const { text } = await readUntil(socket, undefined)
      const ALERT = '\x15'
      expect(['', ALERT]).toContain(text.slice(0, 1))
      socket.destroy()
    }
  })

  it('TLS on the cleartext port is answered as the malformed request that it is there', async ({ server }) => {
    expect(await handshake(server.httpPort, {})).toMatch(/^ERR_SSL_/u)
  })
})

describe('HTTP/2', () => {
  /** The preface and an empty SETTINGS frame. */
  const GREETING = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])])

  it.for([
    { name: 'a preface that is none', bytes: Buffer.from(`${HEAD}\r\n`) },
    { name: 'a frame larger than agreed', bytes: Buffer.concat([GREETING, Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])]) },
    {
      name: 'data on a stream that was never opened',
      bytes: Buffer.concat([GREETING, Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, 9, 1])]),
    },
    {
      name: 'headers that cannot be decompressed',
      bytes: Buffer.concat([GREETING, Buffer.from([0, 0, 2, 1, 4, 0, 0, 0, 1, 0xff, 0xff])]),
    },
    {
      name: 'settings of a wrong length',
      bytes: Buffer.concat([GREETING, Buffer.from([0, 0, 5, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])]),
    },
  ])('$name ends the connection, and no other', async ({ bytes }, { server }) => {
    for (const base of [server.https, server.http]) {
      if (base === server.http && !bytes.toString('latin1').startsWith('PRI')) continue
      const socket = await openSocket(base, 'h2')
      socket.write(bytes)
      await readUntil(socket, undefined)
      socket.destroy()
    }
  })

  it('an oversized header ends its stream, and the session goes on', async ({ server }) => {
    const session = connect(server.https, { maxSendHeaderBlockLength: 100_000 })
    onTestFinished(() => session.destroy())
    session.on('error', () => {})
    await once(session, 'remoteSettings')
    const headers = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x-${n}`, 'x'.repeat(300)]))
    const stream = session.request({ ':path': '/livez', ...headers })
    const ended = new Promise<number | undefined>((resolve) => {
      stream.on('response', ({ ':status': status }) => resolve(status))
      stream.on('error', () => resolve(undefined)).on('close', () => resolve(undefined))
    })
    expect([undefined, 431]).toContain(await ended)
    const next = session.request({ ':path': '/livez' })
    expect((await readUntil(next, undefined)).text).toContain('ok')
  })

  it('rapid resets end the session with ENHANCE_YOUR_CALM (CVE-2023-44487)', async ({ server }) => {
    const session = connect(server.https)
    onTestFinished(() => session.destroy())
    session.on('error', () => {})
    const codes: number[] = []
    session.on('goaway', (code: number) => codes.push(code))
    await once(session, 'remoteSettings')
    while (!session.destroyed) {
      for (let i = 0; i < MAX_RESETS / 5 && !session.closed; i++) {
        const stream = session.request({ ':path': '/fusewire/v1/sse' })
        stream.on('error', () => {})
        stream.close(constants.NGHTTP2_CANCEL)
      }
      await turn()
    }
    // What was still on its way to the server may have cost the client the GOAWAY.
    expect([[], [constants.NGHTTP2_ENHANCE_YOUR_CALM]]).toContainEqual(codes)
    // Our guard has ended it, or Node, whose own write had failed meanwhile.
    await eventually(() => expect(server.log).toMatch(/http2_resets|http2_session_error/u))
  })

  it('more streams at a time than allowed wait or are refused, and the session goes on', async ({ server }) => {
    const session = connect(server.https)
    onTestFinished(() => session.destroy())
    await once(session, 'remoteSettings')
    expect(session.remoteSettings.maxConcurrentStreams).toBe(200)
    const streams = Array.from({ length: 250 }, () => session.request({ ':path': '/fusewire/v1/sse' }))
    let answered = 0
    for (const stream of streams) {
      stream.on('response', () => {
        answered++
      })
      stream.on('error', () => {})
    }
    await eventually(() => expect(answered).toBe(200))
    streams[0]?.close()
    await eventually(() => expect(answered).toBe(201))
  })
})
