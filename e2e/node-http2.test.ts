import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { constants, inflateRawSync } from 'node:zlib'
import { SUBPROTOCOL } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'
import { connectStream } from './wire/open-websocket.ts'
import { readUntil } from './wire/read-until.ts'
import { decodeFrame, encodeFrame, OPCODE } from './wire/websocket-frame.ts'

const it = serverTest(DEVELOPMENT)

const openSession = async (base: string): Promise<ClientHttp2Session> => {
  const session = connect(base)
  onTestFinished(() => session.destroy())
  await once(session, 'remoteSettings')
  return session
}

describe("Node's HTTP/2 client", () => {
  it.for(['https', 'http'] as const)(
    'opens many WebSockets on one session over %s, beside requests (RFC 8441)',
    async (scheme, { server, api }) => {
      const session = await openSession(server[scheme])
      expect(session.remoteSettings.enableConnectProtocol).toBe(true)
      const channel = `h2:${scheme}`
      const sockets = await Promise.all(
        Array.from({ length: 50 }, () => connectStream(session, { subprotocol: SUBPROTOCOL.json })),
      )
      for (const socket of sockets) socket.send(`{"type":"connect","subscriptions":[{"channel":"${channel}"}]}`)
      await eventually(() => expect(sockets.every(({ messages }) => messages.join('').includes('"subscribed"'))).toBe(true))

      const body = JSON.stringify({ channel, data: 'to all' })
      const request = session.request({ ':method': 'POST', ':path': '/v1/publish', 'content-type': 'application/json' })
      request.end(body)
      expect((await readUntil(request, undefined)).text).toContain('"offset":1')
      await eventually(() => expect(sockets.every(({ messages }) => messages.join('').includes('"to all"'))).toBe(true))

      // Half of them leave in different ways; the other half does not notice.
      for (const [index, socket] of sockets.entries()) {
        if (index % 2 === 0) continue
        if (index % 4 === 1) socket.close()
        else socket.destroy()
      }
      await api.publish(channel, 'to the rest')
      const rest = sockets.filter((_, index) => index % 2 === 0)
      await eventually(() => expect(rest.every(({ messages }) => messages.join('').includes('"to the rest"'))).toBe(true))
      const closing = sockets.filter((_, index) => index % 4 === 1)
      await eventually(() => expect(closing.every(({ closed }) => closed?.code === 1000)).toBe(true))
      expect(rest.every(({ closed, ended }) => !closed && !ended)).toBe(true)
    },
  )

  it('opens and closes more WebSockets on one session than it may have at a time', async ({ server }) => {
    const session = await openSession(server.https)
    for (let round = 0; round < 5; round++) {
      const sockets = await Promise.all(Array.from({ length: 80 }, () => connectStream(session, { path: '/fusewire/v1/echo' })))
      for (const socket of sockets) socket.send('hello')
      await eventually(() => expect(sockets.every(({ messages }) => messages[0] === 'hello')).toBe(true))
      for (const socket of sockets) socket.close(3000 + round)
      await eventually(() => expect(sockets.every(({ closed }) => closed?.code === 3000 + round)).toBe(true))
    }
    expect(session.destroyed).toBe(false)
  })

  it('is sent an accept when it brings a key, as undici asks for', async ({ server }) => {
    const session = await openSession(server.https)
    const key = 'dGhlIHNhbXBsZSBub25jZQ=='
    const stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':scheme': 'https',
        ':path': '/ws',
        ':authority': 'localhost',
        'sec-websocket-version': '13',
        'sec-websocket-key': key,
        'sec-websocket-protocol': 'fusewire.v1.msgpack, fusewire.v1.json',
      },
      { endStream: false },
    )
    const [headers] = await once(stream, 'response')
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    expect(headers).toMatchObject({
      ':status': 200,
      'sec-websocket-accept': accept,
      'sec-websocket-protocol': SUBPROTOCOL.msgpack,
    })
    stream.close()
  })

  it('is sent large publications compressed, and takes them compressed', async ({ server, api }) => {
    const session = await openSession(server.https)
    const stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':scheme': 'https',
        ':path': '/ws',
        ':authority': 'localhost',
        'sec-websocket-version': '13',
        'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
      },
      { endStream: false },
    )
    const [headers] = await once(stream, 'response')
    expect(headers['sec-websocket-extensions']).toMatch(/^permessage-deflate(;|$)/u)
    let bytes = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
    })
    const frames = () => {
      const found = []
      for (let rest = bytes, next = decodeFrame(rest); next; next = decodeFrame(rest)) {
        found.push(next.frame)
        rest = rest.subarray(next.byteLength)
      }
      return found
    }
    stream.write(
      encodeFrame({ opcode: OPCODE.text, payload: Buffer.from('{"type":"connect","subscriptions":[{"channel":"h2:deflate"}]}') }),
    )
    await eventually(() =>
      expect(
        frames()
          .map(({ payload }) => payload.toString())
          .join('\n'),
      ).toContain('"subscribed"'),
    )
    await api.publish('h2:deflate', 'x'.repeat(20_000))
    const compressed = await eventually(() => frames().find(({ rsv }) => rsv === 4) ?? false)
    if (!compressed) throw new Error('nothing came')
    expect(compressed.payload.length).toBeLessThan(1000)
    const inflated = inflateRawSync(Buffer.concat([compressed.payload, Buffer.from([0, 0, 0xff, 0xff])]), {
      finishFlush: constants.Z_SYNC_FLUSH,
    }).toString()
    expect(JSON.parse(inflated)).toMatchObject({ type: 'publication', data: 'x'.repeat(20_000) })
    stream.close()
  })
})
