import { once } from 'node:events'
import { Duplex, Writable } from 'node:stream'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { StreamWebSocket } from '../testing/stream-web-socket.ts'
import { OwnedWebSocket } from './owned-websocket.ts'
import { adopt, DEFLATE, parseExtensions, parseSubprotocols, type Upgraded } from './ws-internals.ts'

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

const open = (options: object = {}, agreed: Partial<Upgraded> = {}) => {
  const [here, there] = streamPair()
  const server = new WebSocketServer({
    noServer: true,
    WebSocket: OwnedWebSocket,
    maxPayload: 100,
    perMessageDeflate: true,
    ...options,
  })
  const upgraded = { stream: here, head: Buffer.alloc(0), subprotocol: undefined, extensions: undefined, ...agreed }
  return { socket: adopt<OwnedWebSocket>(server, upgraded), client: new StreamWebSocket(there), here }
}

// When one of these fails after an update of ws, adopt is what has to follow.
describe('what is used of ws beyond its types', () => {
  it('parses headers', () => {
    expect(parseExtensions('permessage-deflate; a; b=1')).toEqual({ [DEFLATE]: [{ a: [true], b: ['1'] }] })
    expect([...parseSubprotocols('a, b')]).toEqual(['a', 'b'])
    expect(() => parseExtensions(';')).toThrow(SyntaxError)
    expect(() => parseSubprotocols(',')).toThrow(SyntaxError)
  })

  it('opens a WebSocket of our class on a stream, as a server', async () => {
    const { socket, client } = open({}, { subprotocol: 'sub' })
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

  it('reads what came behind the handshake', async () => {
    const head = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
    const { socket } = open({}, { head })
    const received: unknown[] = []
    socket.on('message', (data) => received.push(String(data)))
    await eventually(() => expect(received).toEqual(['hi']))
  })

  it('ends its receiver once, though ws does so at the end of the stream and at its close', async () => {
    const end = vi.spyOn(Writable.prototype, 'end')
    onTestFinished(() => end.mockRestore())
    const { socket, here } = open()
    const closed = once(socket, 'close')
    here.push(null)
    await once(here, 'end')
    here.destroy()
    await closed
    const receiver = (socket as unknown as { _receiver: Writable })._receiver
    expect(end.mock.contexts.filter((context) => context === receiver)).toHaveLength(1)
  })

  it('takes the extension that was agreed on', () => {
    expect(open({}, { extensions: 'permessage-deflate; server_no_context_takeover' }).socket.extensions).toBe(DEFLATE)
  })

  it('holds messages to the limit of the server', async () => {
    const { socket, client } = open()
    socket.on('error', () => {})
    client.send('x'.repeat(101))
    expect(await client.closed).toBe(1009)
  })

  it('gives the other side the time of the server to close, not one millisecond', async () => {
    const { socket, client, here } = open({ closeTimeout: 100 })
    client.answersClose = false
    const begun = performance.now()
    socket.close(4000)
    expect(await client.closed).toBe(4000)
    await eventually(() => here.destroyed)
    expect(performance.now() - begun).toBeGreaterThan(80)
  })
})
