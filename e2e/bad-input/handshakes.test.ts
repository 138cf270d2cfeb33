import { connect } from 'node:http2'
import { ECHO_PATH, ERRORS, type ErrorCode, PATHS } from '@fusewire/protocol'
import { Agent, request } from 'undici'
import { describe, expect, onTestFinished } from 'vitest'
import { harmTest } from '../bystanders.ts'
import type { FusewireProcess } from '../fusewire-process.ts'
import { PAGE_ORIGIN, PRODUCTION, signToken } from '../server-variants.ts'
import { HandshakeRefused, handshakeHead, openSocket, type WebSocketRequest } from '../wire/open-websocket.ts'
import { readUntil } from '../wire/read-until.ts'
import { openWebSocket } from '../wire/websocket-way.ts'

const it = harmTest(PRODUCTION)

interface Answer {
  readonly status: number
  readonly code: ErrorCode | undefined
  readonly headers: Readonly<Record<string, unknown>>
}

const codeIn = (body: string): ErrorCode | undefined => {
  if (body === '') return undefined
  const { error } = JSON.parse(body) as { error: { code: ErrorCode; message: string; retryable: boolean } }
  expect(error).toEqual({ code: error.code, message: expect.any(String), retryable: ERRORS[error.code].retryable })
  return error.code
}

/** Makes a request as a page or a program would, and reads the answer if it is a refusal. */
const ask = async (
  base: string,
  version: 'HTTP/1.1' | 'HTTP/2',
  method: 'GET' | 'POST' | 'PUT' | 'OPTIONS',
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> => {
  const dispatcher = new Agent({ allowH2: version === 'HTTP/2' })
  onTestFinished(() => dispatcher.destroy())
  const answer = await request(base + path, { method, headers, dispatcher })
  const body = answer.statusCode < 400 ? '' : await answer.body.text()
  return { status: answer.statusCode, code: codeIn(body), headers: answer.headers }
}

const WEBSOCKETS = ['HTTP/1.1', 'HTTP/1.1 in the clear', 'HTTP/2'] as const

/** Opens a WebSocket: undefined, or the refusal. */
const handshake = async (server: FusewireProcess, over: (typeof WEBSOCKETS)[number], asked: WebSocketRequest) => {
  try {
    const socket = await openWebSocket(server, over, asked)
    onTestFinished(() => socket.destroy())
    return undefined
  } catch (error) {
    if (!(error instanceof HandshakeRefused)) throw error
    return { status: error.status, code: codeIn(error.body) }
  }
}

const FOREIGN = [
  { name: 'of another site', origin: 'https://evil.example' },
  { name: 'that begins like a good one', origin: `${PAGE_ORIGIN}.evil.example` },
  { name: 'of the same host by http', origin: PAGE_ORIGIN.replace('https', 'http') },
  { name: 'of a sandboxed frame', origin: 'null' },
  { name: 'that is no origin', origin: `${PAGE_ORIGIN}/path` },
]

const REFUSED = { status: 403, code: 'origin_not_allowed' }

describe.each(FOREIGN)('a page $name is refused [P4]', ({ origin }) => {
  it.for(WEBSOCKETS)('by WebSocket over %s', async (over, { server }) => {
    for (const path of [PATHS.webSocket, '/ws', ECHO_PATH])
      expect(await handshake(server, over, { path, headers: { origin } })).toEqual(REFUSED)
  })

  it.for(['HTTP/1.1', 'HTTP/2'] as const)('by SSE, streaming and polling over %s', async (version, { server }) => {
    const token = await signToken('alice')
    const requests = [
      ['GET', PATHS.sse],
      ['GET', `${PATHS.sse}?channel=chat:lobby&token=${token}`],
      ['POST', PATHS.stream],
      ['POST', PATHS.poll],
      ['POST', `${PATHS.send}?connection=x&seq=1`],
      ['OPTIONS', PATHS.stream],
    ] as const
    for (const [method, path] of requests) {
      const answer = await ask(server.https, version, method, path, { origin })
      expect(answer, path).toMatchObject(REFUSED)
      // Not even the refusal is for the page to read.
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    }
  })
})

it('a page that is listed, one of the same host, and a program are let in', async ({ server }) => {
  for (const headers of [{ origin: PAGE_ORIGIN }, { origin: 'https://localhost:1' }, {}] as Record<string, string>[]) {
    for (const over of WEBSOCKETS) expect(await handshake(server, over, { headers })).toBeUndefined()
    expect(await ask(server.https, 'HTTP/2', 'OPTIONS', PATHS.stream, headers)).toMatchObject({ status: 204 })
  }
})

describe('what is not there', () => {
  it.for(WEBSOCKETS)('is not found by WebSocket over %s', async (over, { server }) => {
    for (const path of ['/nothing', '/', '/ws/', `${PATHS.webSocket}x`, '/v1/publish'])
      expect(await handshake(server, over, { path }), path).toEqual({ status: 404, code: 'not_found' })
  })

  it.for(['HTTP/1.1', 'HTTP/2'] as const)('is not found over %s', async (version, { server }) => {
    for (const path of ['/nothing', '/', '/fusewire/v1/', '/fusewire/v2/ws', '/v1/nothing', '/%00', '/..%2f..%2fetc%2fpasswd'])
      expect(await ask(server.https, version, 'GET', path), path).toMatchObject({ status: 404, code: 'not_found' })
  })

  it.for([
    ['POST', `${PATHS.poll}?connection=made-up`],
    ['POST', `${PATHS.send}?connection=made-up&seq=1`],
    ['POST', `${PATHS.send}?seq=1`],
  ] as const)('as a connection: %s %s', async ([method, path], { server }) => {
    const answer = await ask(server.https, 'HTTP/2', method, path)
    expect(answer).toMatchObject({ status: 404, code: 'unknown_connection' })
  })

  it.for([
    ['POST', PATHS.sse, 'GET, OPTIONS'],
    ['GET', PATHS.stream, 'POST, OPTIONS'],
    ['PUT', PATHS.poll, 'POST, OPTIONS'],
    ['GET', PATHS.send, 'POST, OPTIONS'],
  ] as const)('as a method: %s %s', async ([method, path, allow], { server }) => {
    for (const version of ['HTTP/1.1', 'HTTP/2'] as const)
      expect(await ask(server.https, version, method, path)).toMatchObject({
        status: 405,
        code: 'method_not_allowed',
        headers: { allow },
      })
  })

  it('as a method of the API', async ({ server }) => {
    expect(await ask(server.https, 'HTTP/2', 'GET', '/v1/publish')).toMatchObject({ status: 405, code: 'method_not_allowed' })
  })
})

describe('a WebSocket handshake', () => {
  it.for(WEBSOCKETS)('without a known subprotocol is refused over %s [P2]', async (over, { server }) => {
    const refused = { status: 400, code: 'unsupported_subprotocol' }
    expect(await handshake(server, over, { subprotocol: 'mqtt, fusewire.v9.json' })).toEqual(refused)
    expect(await handshake(server, over, { subprotocol: 'mqtt, fusewire.v1.json' })).toBeUndefined()
  })

  it.for(WEBSOCKETS)('that is malformed is refused over %s', async (over, { server }) => {
    const refused = { status: 400, code: 'malformed_request' }
    for (const [name, value] of [
      ['sec-websocket-version', '8'],
      ['sec-websocket-version', ''],
      ['sec-websocket-protocol', 'a,,b'],
      ['sec-websocket-extensions', 'permessage-deflate; ='],
    ] as const)
      expect(await handshake(server, over, { headers: { [name]: value } }), `${name}: ${value}`).toEqual(refused)
  })

  it('without a key that could be one is refused over HTTP/1.1', async ({ server }) => {
    for (const key of ['', 'short', 'x'.repeat(24)])
      expect(await handshake(server, 'HTTP/1.1', { headers: { 'sec-websocket-key': key } })).toEqual({
        status: 400,
        code: 'malformed_request',
      })
  })

  it('by another method than GET is refused over HTTP/1.1', async ({ server }) => {
    const socket = await openSocket(server.https)
    socket.write(handshakeHead().replace('GET', 'POST'))
    const { text } = await readUntil(socket, undefined)
    expect(text).toMatch(/^HTTP\/1\.1 40[05] /u)
  })

  it('without the upgrade is an ordinary request, of which there is none at this path', async ({ server }) => {
    for (const version of ['HTTP/1.1', 'HTTP/2'] as const)
      expect(await ask(server.https, version, 'GET', PATHS.webSocket)).toMatchObject({ status: 404 })
  })
})

describe('CONNECT over HTTP/2', () => {
  it.for([
    { name: 'to tunnel is refused', headers: { ':authority': 'example.com:443' }, status: 405, code: 'method_not_allowed' },
    {
      name: 'with another protocol than websocket is refused',
      headers: { ':protocol': 'webtransport', ':scheme': 'https', ':path': '/ws', ':authority': 'localhost' },
      status: 404,
      code: 'unsupported_transport',
    },
  ])('$name, and the session goes on', async ({ headers, status, code }, { server }) => {
    const session = connect(server.https)
    onTestFinished(() => session.destroy())
    const stream = session.request({ ':method': 'CONNECT', ...headers })
    const answered = new Promise((resolve) => stream.once('response', (head) => resolve(head[':status'])))
    const { text } = await readUntil(stream, undefined)
    expect({ status: await answered, code: codeIn(text) }).toEqual({ status, code })
    const next = session.request({ ':path': '/livez' })
    expect((await readUntil(next, undefined)).text).toContain('ok')
  })
})
