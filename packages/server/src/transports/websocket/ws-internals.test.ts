import { Duplex } from 'node:stream'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { StreamWebSocket } from '../testing/stream-web-socket.ts'
import { OwnedWebSocket } from './owned-websocket.ts'
import { adoptStream, DEFLATE, parseExtensions, parseSubprotocols } from './ws-internals.ts'

/** Two ends of a stream in memory. */
const streamPair = (): [Duplex, Duplex] => {
  const ends: Duplex[] = []
  for (const other of [1, 0])
    ends.push(
      new Duplex({
        read() {},
        write(chunk, _encoding, callback) {
          ends[other]?.push(chunk)
          callback()
        },
        final(callback) {
          ends[other]?.push(null)
          callback()
        },
      }),
    )
  return ends as [Duplex, Duplex]
}

const adopt = (options: object = {}, subprotocol?: string, extensions?: string) => {
  const [here, there] = streamPair()
  const server = new WebSocketServer({
    noServer: true,
    WebSocket: OwnedWebSocket,
    maxPayload: 100,
    perMessageDeflate: true,
    ...options,
  })
  return { socket: adoptStream<OwnedWebSocket>(server, here, subprotocol, extensions), client: new StreamWebSocket(there), here }
}

// When one of these fails after an update of ws, adoptStream is what has to follow.
describe('what is used of ws beyond its types', () => {
  it('parses headers', () => {
    expect(parseExtensions('permessage-deflate; a; b=1')).toEqual({ [DEFLATE]: [{ a: [true], b: ['1'] }] })
    expect([...parseSubprotocols('a, b')]).toEqual(['a', 'b'])
    expect(() => parseExtensions(';')).toThrow(SyntaxError)
    expect(() => parseSubprotocols(',')).toThrow(SyntaxError)
  })

  it('opens a WebSocket of our class on a stream, as a server', async () => {
    const { socket, client } = adopt({}, 'sub')
    expect(socket).toBeInstanceOf(OwnedWebSocket)
    expect(socket.readyState).toBe(socket.OPEN)
    expect(socket.protocol).toBe('sub')
    expect(socket.extensions).toBe('')
    const received: unknown[] = []
    socket.on('message', (data, isBinary) => received.push(String(data), isBinary))
    client.send('hello')
    socket.send('there')
    await eventually(() => expect(received).toEqual(['hello', false]))
    await eventually(() => expect(client.texts).toEqual(['there']))
  })

  it('takes the extension that was agreed on', () => {
    expect(adopt({}, undefined, 'permessage-deflate; server_no_context_takeover').socket.extensions).toBe(DEFLATE)
  })

  it('holds messages to the limit of the server', async () => {
    const { socket, client } = adopt()
    socket.on('error', () => {})
    client.send('x'.repeat(101))
    expect(await client.closed).toBe(1009)
  })

  it('gives the other side the time of the server to close, not one millisecond', async () => {
    const { socket, client, here } = adopt({ closeTimeout: 100 })
    client.answersClose = false
    const begun = performance.now()
    socket.close(4000)
    expect(await client.closed).toBe(4000)
    await eventually(() => here.destroyed)
    expect(performance.now() - begun).toBeGreaterThan(80)
  })
})
