import { once } from 'node:events'
import { type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { ECHO_PATH, PATHS } from '@fusewire/protocol'
import { describe, expect, onTestFinished } from 'vitest'
import { serverTest } from '../server-test.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { encodeFrame, OPCODE } from '../wire/websocket-frame.ts'

const it = serverTest({ ...DEVELOPMENT, logLevel: 'error' })

/** More than the five seconds after which the server gives up what it has ended. */
const PATIENCE_MS = 7000

/** Requests that make the server end its answer, with something in it: without more, by a whole body, or by what they send and go on. */
const ENDED: readonly { headers: OutgoingHttpHeaders; body?: string; sends?: string | Uint8Array }[] = [
  { headers: { ':path': '/v1/info' } },
  { headers: { ':path': '/v1/nowhere' } },
  { headers: { ':path': '/v1/publish', ':method': 'POST' }, body: '{' },
  { headers: { ':path': PATHS.stream, ':method': 'POST' }, sends: 'not a message\n' },
  { headers: { ':path': PATHS.stream, ':method': 'POST' }, sends: '{"type":"connect"}\n{"type":"disconnect"}\n' },
  { headers: { ':path': PATHS.poll, ':method': 'POST' }, body: 'not a message\n' },
  { headers: { ':path': PATHS.sse } },
  { headers: { ':path': `${PATHS.sse}?channel=` } },
  {
    headers: { ':path': PATHS.webSocket, ':method': 'CONNECT', ':protocol': 'websocket', 'sec-websocket-version': '13' },
    sends: encodeFrame({ opcode: OPCODE.text, payload: Buffer.from('not a message') }),
  },
  {
    headers: { ':path': ECHO_PATH, ':method': 'CONNECT', ':protocol': 'websocket', 'sec-websocket-version': '13' },
    sends: encodeFrame({ opcode: OPCODE.close, payload: Buffer.from([3, 232]) }),
  },
]

describe('a client over HTTP/2 that opens its windows too late', () => {
  // Node sends without end on a stream that is closed with NO_ERROR and destroyed before its last bytes have left: see Http2Exchange.
  it('does not keep the server busy when it does', { timeout: 30_000 }, async ({ server }) => {
    const session = connect(server.https, { settings: { initialWindowSize: 0 } })
    session.on('error', () => {})
    onTestFinished(() => session.destroy())
    await once(session, 'remoteSettings')
    const streams = ENDED.map(({ headers, body, sends }): ClientHttp2Stream => {
      const stream = session.request({ ':authority': 'localhost', ':scheme': 'https', ...headers }, { endStream: false })
      if (sends === undefined) stream.end(body)
      else stream.write(sends)
      return stream.on('error', () => {}).resume()
    })
    await Promise.all(streams.map((stream) => once(stream, 'response')))
    await delay(PATIENCE_MS)
    session.settings({ initialWindowSize: 65_535 })
    await once(session, 'localSettings')
    for (let asked = 0; asked < 20; asked++) expect((await fetch(`${server.http}/v1/info`)).status).toBe(200)
  })
})
