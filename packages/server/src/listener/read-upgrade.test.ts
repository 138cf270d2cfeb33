import { createServer, type IncomingHttpHeaders } from 'node:http'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readUpgrade } from './read-upgrade.ts'

const MAX_HEADER_BYTES = 16_384

const FIELDS = ['Host: a', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']

const head = (fields: readonly string[], line = 'GET /ws HTTP/1.1'): string =>
  `${[line, ...fields].map((text) => `${text}\r\n`).join('')}\r\n`
const read = (text: string, maxHeaderBytes = MAX_HEADER_BYTES) => readUpgrade(Buffer.from(text, 'latin1'), maxHeaderBytes)

/** What Node's parser makes of it: the head, if it is a whole and good one. */
const readByNode = (text: string): Promise<{ url: string | undefined; headers: IncomingHttpHeaders } | undefined> =>
  new Promise((resolve) => {
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES })
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    server.on('upgrade', ({ url, headers }) => resolve({ url, headers }))
    server.on('request', () => resolve(undefined))
    server.on('clientError', () => resolve(undefined))
    server.emit('connection', socket)
    socket.push(Buffer.from(text, 'latin1'))
    setImmediate(() => {
      socket.destroy()
      resolve(undefined)
    })
  })

describe('readUpgrade', () => {
  it('reads a plain handshake', () => {
    expect(read(head([...FIELDS, 'Origin:\t https://a \t', 'Sec-WebSocket-Protocol:', 'X-Other: b']))).toEqual({
      method: 'GET',
      url: '/ws',
      headers: { host: 'a', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', origin: 'https://a', 'sec-websocket-protocol': '' },
    })
  })

  it('reads what browsers send', () => {
    const fields = [
      'Host: localhost:8000',
      'Connection: keep-alive, Upgrade',
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0',
      'Upgrade: WebSocket',
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
      'Cookie: a=b; c=d',
    ]
    expect(read(head(fields))?.headers['sec-websocket-extensions']).toBe('permessage-deflate; client_max_window_bits')
  })

  it('reads fields without a blank', () => {
    const fields = ['Host:a', 'Upgrade:websocket', 'Connection:Upgrade', 'Origin:https://a']
    expect(read(head(fields))?.headers).toMatchObject({ host: 'a', origin: 'https://a' })
  })

  it.each([
    ['another method', head(FIELDS, 'POST /ws HTTP/1.1')],
    ['another version', head(FIELDS, 'GET /ws HTTP/1.0')],
    ['a target that is no path', head(FIELDS, 'GET http://a/ws HTTP/1.1')],
    ['a target with a space', head(FIELDS, 'GET /w s HTTP/1.1')],
    ['no host', head(FIELDS.slice(1))],
    ['a host that is none', head(['Host: a b', ...FIELDS.slice(1)])],
    ['no upgrade', head(FIELDS.filter((field) => !field.startsWith('Upgrade')))],
    ['another protocol', head(FIELDS.map((field) => field.replace('websocket', 'h2c')))],
    ['no connection option', head(FIELDS.map((field) => field.replace('Connection: Upgrade', 'Connection: upgraded')))],
    ['a second host', head([...FIELDS, 'host: b'])],
    ['a length', head([...FIELDS, 'Content-Length: 0'])],
    ['chunks', head([...FIELDS, 'Transfer-Encoding: chunked'])],
    ['an expectation', head([...FIELDS, 'Expect: 100-continue'])],
    ['what Node gives as a list', head([...FIELDS, 'Set-Cookie: a'])],
    ['a folded field', head([...FIELDS, 'X: a\r\n b'])],
    ['a space before the colon', head([...FIELDS, 'X : a'])],
    ['no colon', head([...FIELDS, 'X'])],
    ['a bare line feed', head([...FIELDS, 'X: a\nY: b'])],
    ['a bare carriage return', head([...FIELDS, 'X: a\rY: b'])],
    ['a zero byte', head([...FIELDS, 'X: \0'])],
    ['a byte beyond ASCII', head([...FIELDS, 'X: \xe9'])],
    ['the prototype of objects', head([...FIELDS, '__proto__: a'])],
    ['a part', head(FIELDS).slice(0, -2)],
    ['something behind it', `${head(FIELDS)}\x81`],
    ['another request behind it', head(FIELDS) + head(FIELDS)],
    ['nothing', ''],
  ])('leaves %s to Node', (_what, text) => {
    expect(read(text)).toBeUndefined()
  })

  it('leaves what is too large to Node', () => {
    const text = head(FIELDS)
    expect(read(text, text.length)).toBeDefined()
    expect(read(text, text.length - 1)).toBeUndefined()
  })

  it('reads blanks once, however many there are', () => {
    // A square of as many steps would take longer than a test may.
    const blanks = ' '.repeat(100_000)
    expect(read(head([...FIELDS, `X:${blanks}\0`]), 1_000_000)).toBeUndefined()
    expect(read(head([...FIELDS, `Origin:${blanks}a${blanks}`]), 1_000_000)?.headers.origin).toBe('a')
  })

  it('reads nothing otherwise than Node does', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...FIELDS,
        'Host: b',
        'connection: keep-alive,upgrade',
        'Connection: close',
        'Upgrade: h2c',
        'X:y',
        'Origin: a',
        'X-Forwarded-For: b',
        'Sec-WebSocket-Protocol:  b',
        'A:  b \t',
      ),
      fc.constantFrom('Content-Length: 5', 'Transfer-Encoding: chunked', ' folded', 'X : y', 'X', '__proto__: x', 'X_Y: z'),
      fc.string({ unit: 'binary-ascii', maxLength: 8 }).map((text) => `X-Any: ${text}`),
      fc.string({ unit: 'binary-ascii', maxLength: 8 }).map((text) => `${text}: x`),
    )
    const line = fc.oneof(
      { weight: 4, arbitrary: fc.constant('GET /ws HTTP/1.1') },
      fc.string({ unit: 'binary-ascii', maxLength: 8 }).map((text) => `GET /${text} HTTP/1.1`),
      fc.constantFrom('GET  /ws HTTP/1.1', 'get /ws HTTP/1.1', 'GET /ws HTTP/1.2', 'GET ws HTTP/1.1', 'GET * HTTP/1.1'),
    )
    const extra = fc.array(piece, { maxLength: 3 })
    let read = 0
    await fc.assert(
      fc.asyncProperty(line, extra, extra, async (first, before, after) => {
        const text = head([...before, ...FIELDS, ...after], first)
        const ours = readUpgrade(Buffer.from(text, 'latin1'), MAX_HEADER_BYTES)
        if (!ours) return
        read++
        const { url, headers } = ours
        const byNode = await readByNode(text)
        const all = Object.fromEntries(Object.keys(headers).map((name) => [name, byNode?.headers[name]]))
        expect({ url: byNode?.url, headers: all }).toEqual({ url, headers })
      }),
      { numRuns: 500 },
    )
    expect(read).toBeGreaterThan(20)
  })
})
