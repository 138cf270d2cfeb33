import { setImmediate as turn } from 'node:timers/promises'
import { SUBPROTOCOL } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { describe, expect, onTestFinished } from 'vitest'
import { harmTest } from '../bystanders.ts'
import type { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { handshakeHead, openSocket } from '../wire/open-websocket.ts'
import { RawWebSocket } from '../wire/raw-websocket.ts'
import { readUntil } from '../wire/read-until.ts'
import { closePayload, encodeFrame, type Frame, OPCODE } from '../wire/websocket-frame.ts'
import { openWebSocket } from '../wire/websocket-way.ts'

const it = harmTest(DEVELOPMENT)

const frame = (opcode: number, payload: string | Uint8Array = '', more: Partial<Frame> = {}): Buffer =>
  encodeFrame({ opcode, payload: Buffer.from(payload as string), ...more })

const { text, binary, continuation, close, ping, pong } = OPCODE

/** Violations of RFC 6455, and the close code that it asks for. */
const VIOLATIONS = [
  { name: 'a frame without a mask', bytes: encodeFrame({ opcode: text, payload: Buffer.from('{}') }, false), code: 1002 },
  { name: 'a reserved opcode', bytes: frame(0x3), code: 1002 },
  { name: 'a reserved control opcode', bytes: frame(0xb), code: 1002 },
  { name: 'RSV1 without an extension', bytes: frame(text, '{}', { rsv: 4 }), code: 1002 },
  { name: 'RSV2', bytes: frame(text, '{}', { rsv: 2 }), code: 1002 },
  { name: 'a continuation of nothing', bytes: frame(continuation, '{}'), code: 1002 },
  {
    name: 'a new message inside of another',
    bytes: Buffer.concat([frame(text, '{', { fin: false }), frame(text, '}')]),
    code: 1002,
  },
  { name: 'a ping in fragments', bytes: frame(ping, 'x', { fin: false }), code: 1002 },
  { name: 'a ping of 126 bytes', bytes: frame(ping, 'x'.repeat(126)), code: 1002 },
  { name: 'a close code that must not be sent', bytes: frame(close, closePayload(1005)), code: 1002 },
  { name: 'a close frame of one byte', bytes: frame(close, 'x'), code: 1002 },
  { name: 'a length of more than 2^53', bytes: Buffer.from([0x81, 0xff, 0xff, ...Array(11).fill(0xff)]), code: 1009 },
  { name: 'a length beyond the limit', bytes: Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]), code: 1009 },
  {
    name: 'fragments that are too large together',
    bytes: Buffer.concat([...Array(4)].map((_, index) => frame(index ? continuation : text, 'x'.repeat(20_000), { fin: false }))),
    code: 1009,
  },
  { name: 'text that is no UTF-8', bytes: frame(text, Buffer.from([0xc3, 0x28])), code: 1007 },
  {
    name: 'text whose UTF-8 is cut',
    bytes: Buffer.concat([frame(text, Buffer.from([0xe2, 0x82]), { fin: false }), frame(continuation, '')]),
    code: 1007,
  },
  { name: 'a close reason that is no UTF-8', bytes: frame(close, Buffer.from([0x03, 0xe8, 0xc3, 0x28])), code: 1007 },
]

const CONNECTED = '"type":"connected"'

describe.each(['HTTP/1.1', 'HTTP/2'] as const)('a WebSocket over %s', (over) => {
  const open = async (server: FusewireProcess, subprotocol: string = SUBPROTOCOL.json): Promise<RawWebSocket> => {
    const socket = await openWebSocket(server, over, { subprotocol })
    onTestFinished(() => socket.destroy())
    return socket
  }
  const connected = async (server: FusewireProcess): Promise<RawWebSocket> => {
    const socket = await open(server)
    socket.send('{"type":"connect"}')
    await eventually(() => expect(socket.messages.join('')).toContain(CONNECTED))
    return socket
  }

  it.for(VIOLATIONS)('with $name is closed with $code', async ({ bytes, code }, { server }) => {
    const socket = await connected(server)
    socket.stream.write(bytes)
    await eventually(() => expect(socket.closed?.code).toBe(code))
    await eventually(() => expect(socket.ended).toBe(true))
  })

  it('with binary frames where text is due is closed with wrong_frame_type [P2]', async ({ server }) => {
    const socket = await connected(server)
    socket.send(Buffer.from('{"type":"ping"}'))
    await eventually(() => expect(socket.closed?.code).toBe(4203))
    expect(socket.messages.join('')).toContain('"type":"disconnect","code":"wrong_frame_type"')
  })

  it('with text where binary frames are due is closed with wrong_frame_type [P2]', async ({ server }) => {
    const socket = await open(server, SUBPROTOCOL.msgpack)
    socket.send('{"type":"ping"}')
    await eventually(() => expect(socket.closed?.code).toBe(4203))
  })

  it('takes what RFC 6455 allows: fragments, control frames between them, empty frames', async ({ server }) => {
    const socket = await connected(server)
    socket.stream.write(
      Buffer.concat([
        frame(text, '{"type":', { fin: false }),
        frame(ping, 'between'),
        frame(continuation, '', { fin: false }),
        frame(pong, 'nobody asked'),
        frame(continuation, '"echo","data":"fragments"}'),
        frame(text, ''),
      ]),
    )
    await eventually(() => expect(socket.messages.join('')).toContain('"fragments"'))
    expect(socket.pongs.map(String)).toEqual(['between'])
    expect(socket.closed).toBeUndefined()
  })

  it('whose bytes come one by one works like any other', async ({ server }) => {
    const socket = await open(server)
    const writeByteByByte = async (bytes: Buffer): Promise<void> => {
      for (const byte of bytes) {
        socket.stream.write(Buffer.from([byte]))
        await turn()
      }
    }
    await writeByteByByte(frame(text, '{"type":"connect"}'))
    await writeByteByByte(frame(text, '{"type":"publish","id":5,"channel":"bytes","data":"é"}'))
    await eventually(() => expect(socket.messages.join('')).toContain('"type":"result","id":5'))
    await writeByteByByte(frame(close, closePayload(1000, 'thanks')))
    await eventually(() => expect(socket.closed?.code).toBe(1000))
  })

  it('that is closed in the middle of a frame, or reset, leaves nothing behind', async ({ server, api }) => {
    const { connections } = await api.info()
    for (let i = 0; i < 20; i++) {
      const socket = await connected(server)
      socket.stream.write(frame(binary, 'x'.repeat(1000)).subarray(0, 1 + i * 50))
      socket.destroy()
    }
    await eventually(async () => expect((await api.info()).connections).toBe(connections))
  })

  it.for([binary, text])('echo sends back whatever comes (opcode %i)', async (opcode, { server }) => {
    const socket = await openWebSocket(server, over, { path: '/fusewire/v1/echo' })
    onTestFinished(() => socket.destroy())
    for (const payload of ['', 'PING', '{"type":', 'x'.repeat(60_000)]) {
      socket.stream.write(frame(opcode, payload))
      await eventually(() => expect(socket.messages.at(-1)?.toString()).toBe(payload))
    }
    socket.stream.write(frame(opcode, 'x'.repeat(70_000)))
    await eventually(() => expect(socket.closed?.code).toBe(1009))
  })
})

describe.each(['http', 'https'] as const)('what comes in one write with the handshake over %s', (scheme) => {
  const openWith = async (server: FusewireProcess, ...bytes: Buffer[]): Promise<RawWebSocket> => {
    const stream = await openSocket(server[scheme])
    onTestFinished(() => void stream.destroy())
    const handshake = handshakeHead({ subprotocol: SUBPROTOCOL.json })
    stream.write(Buffer.concat([Buffer.from(handshake), ...bytes]))
    const head = await readUntil(stream, '\r\n\r\n')
    expect(head.text).toMatch(/^HTTP\/1.1 101 /u)
    return new RawWebSocket(stream, head.rest)
  }

  it('is read', async ({ server }) => {
    const socket = await openWith(server, frame(text, '{"type":"connect"}'))
    await eventually(() => expect(socket.messages.join('')).toContain(CONNECTED))
  })

  it('is read when a ping comes before it, and the rest of it later', async ({ server }) => {
    const connect = frame(text, '{"type":"connect"}')
    const socket = await openWith(server, frame(ping, 'first'), connect.subarray(0, 9))
    await eventually(() => expect(socket.pongs.map(String)).toEqual(['first']))
    socket.stream.write(connect.subarray(9))
    await eventually(() => expect(socket.messages.join('')).toContain(CONNECTED))
  })

  it.for(VIOLATIONS)('is refused with $code when it is $name', async ({ bytes, code }, { server }) => {
    const socket = await openWith(server, bytes)
    await eventually(() => expect(socket.closed?.code).toBe(code))
  })
})
