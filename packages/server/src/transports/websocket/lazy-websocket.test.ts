import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { eventually } from '@fusewire/testkit'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { clientFrame } from '../testing/client-frame.ts'
import { LazyWebSocket } from './lazy-websocket.ts'
import { OwnedWebSocket, type SocketOwner } from './owned-websocket.ts'

/** A stream that keeps what is written to it. */
const streamOf = () => {
  const written: Buffer[] = []
  const stream = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      written.push(chunk)
      done()
    },
  })
  return { stream, written }
}

class RecordingOwner implements SocketOwner {
  readonly heard: string[] = []
  onMessage: (text: string) => void = () => {}

  message(bytes: Buffer, start: number, end: number, isBinary: boolean): void {
    const text = bytes.toString('utf8', start, end)
    this.heard.push(`${isBinary ? 'binary' : 'text'} ${text}`)
    this.onMessage(text)
  }
  sign(): void {
    this.heard.push('sign')
  }
  failed(error: Error): void {
    this.heard.push(`failed ${(error as NodeJS.ErrnoException).code}`)
  }
  closing(): void {
    this.heard.push('closing')
  }
  ended(): void {
    this.heard.push('ended')
  }
}

const open = (stream: Duplex, head: Buffer = Buffer.alloc(0)) => {
  let given = 0
  class CountedWebSocket extends OwnedWebSocket {
    constructor(...values: ConstructorParameters<typeof OwnedWebSocket>) {
      super(...values)
      given++
    }
  }
  const server = new WebSocketServer({
    noServer: true,
    WebSocket: CountedWebSocket,
    maxPayload: 100,
    closeTimeout: 1000,
  } as object)
  const socket = new LazyWebSocket(stream, head, server)
  const owner = new RecordingOwner()
  socket.owner = owner
  return { socket, owner, heard: owner.heard, isGiven: () => given > 0 }
}

/** Made anew each time, because whoever reads a frame takes its mask off in place. */
const text = (): Buffer => clientFrame({ opcode: 1, mask: 0x01020304 }, 'a')
const ping = (): Buffer => clientFrame({ opcode: 9, mask: 3 }, 'p')

describe('a lazy WebSocket', () => {
  it('reads plain frames without ws', async () => {
    const { stream } = streamOf()
    const { heard, isGiven } = open(stream)
    stream.push(Buffer.concat([text(), clientFrame({ opcode: 2 }, 'b'), clientFrame({ opcode: 10 }, '')]))
    await eventually(() => expect(heard).toEqual(['text a', 'binary b', 'sign']))
    expect(isGiven()).toBe(false)
  })

  it('reads what came behind the handshake', async () => {
    const { heard } = open(streamOf().stream, text())
    await eventually(() => expect(heard).toEqual(['text a']))
  })

  it('reads it on a socket that has been read before, too', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const client = connectTcp((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
    onTestFinished(() => void client.destroy())
    client.write('handshake')
    const [accepted] = (await once(server, 'connection')) as [Socket]
    onTestFinished(() => void accepted.destroy())
    accepted.on('error', () => {})
    await once(accepted, 'data')
    accepted.removeAllListeners('data')
    const { heard } = open(accepted, Buffer.concat([text(), Buffer.from([0x81, 1, 0x61])]))
    await eventually(() => expect(heard.slice(0, 3)).toEqual(['text a', 'closing', 'failed WS_ERR_EXPECTED_MASK']))
  })

  it('is given to ws with the first frame that is not plain, and loses nothing', async () => {
    const { stream, written } = streamOf()
    const { socket, heard, isGiven } = open(stream)
    const fragments = [clientFrame({ opcode: 1, isFinal: false }, 'b'), clientFrame({ opcode: 0 }, 'c')]
    stream.push(Buffer.concat([text(), ping(), ...fragments, text()]))
    await eventually(() => expect(heard).toEqual(['text a', 'sign', 'text bc', 'text a']))
    expect(isGiven()).toBe(true)
    expect(socket.isOpen).toBe(true)
    expect(Buffer.concat(written)).toEqual(Buffer.from([0x8a, 1, 0x70]))
  })

  it('asks for a sign of life, before and after it is given to ws', async () => {
    const { stream, written } = streamOf()
    const { socket, heard } = open(stream)
    socket.ping()
    stream.push(ping())
    await eventually(() => expect(heard).toEqual(['sign']))
    socket.ping()
    expect(written.filter((bytes) => bytes[0] === 0x89)).toHaveLength(2)
  })

  it.each([
    ['too large', clientFrame({ opcode: 1 }, 'x'.repeat(101)), 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
    ['no text', clientFrame({ opcode: 1, mask: 9 }, Buffer.from([0xff])), 'WS_ERR_INVALID_UTF8'],
    ['not masked', Buffer.from([0x81, 1, 0x61]), 'WS_ERR_EXPECTED_MASK'],
  ])('has ws refuse what is %s', async (_what, bytes, code) => {
    const { stream } = streamOf()
    const { heard } = open(stream)
    stream.push(bytes)
    await eventually(() => expect(heard).toEqual(['closing', `failed ${code}`]))
  })

  it('closes with the handshake of ws, also from within a message', async () => {
    const { stream, written } = streamOf()
    const { socket, owner, heard } = open(stream)
    owner.onMessage = () => {
      if (socket.isOpen) socket.close(4000, 'bye')
    }
    stream.push(Buffer.concat([text(), text(), clientFrame({ opcode: 8, mask: 1 }, Buffer.from([0x0f, 0xa0]))]))
    stream.push(null)
    await eventually(() => expect(heard).toEqual(['text a', 'closing', 'text a', 'closing', 'ended']))
    expect(socket.isOpen).toBe(false)
    expect(Buffer.concat(written)).toEqual(Buffer.concat([Buffer.from([0x88, 5, 0x0f, 0xa0]), Buffer.from('bye')]))
  })

  it('reads what ws reads, however it comes', async () => {
    const payload = fc.string({ unit: 'grapheme', maxLength: 20 })
    const message = fc.record({ opcode: fc.constantFrom(1, 2, 9, 10), mask: fc.nat(), payload })
    const pieces = fc.tuple(fc.array(message, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }))
    await fc.assert(
      fc.asyncProperty(pieces, async ([messages, sizes]) => {
        const { stream } = streamOf()
        const { heard } = open(stream)
        const bytes = Buffer.concat(messages.map((head) => clientFrame(head, head.payload)))
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1
          stream.push(Buffer.from(bytes.subarray(at, at + size)))
          at += size
        }
        const expected = messages.map(({ opcode, payload: text }) =>
          opcode > 2 ? 'sign' : `${opcode === 2 ? 'binary' : 'text'} ${text}`,
        )
        await eventually(() => expect(heard).toEqual(expected))
        stream.destroy()
      }),
    )
  })
})

describe('a lazy WebSocket over TCP', () => {
  const connected = async (): Promise<[client: Socket, server: Socket]> => {
    const listening = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const accepted = once(listening, 'connection')
    const client = connectTcp({ port: (listening.address() as { port: number }).port, host: '127.0.0.1', allowHalfOpen: true })
    const [server] = (await accepted) as [Socket]
    onTestFinished(() => {
      client.destroy()
      server.destroy()
      listening.close()
    })
    return [client, server]
  }

  it('ends with its client, once all that was written has left', async () => {
    const [client, stream] = await connected()
    const { heard, isGiven } = open(stream)
    const bytes = 8 * 1024 * 1024
    stream.write(Buffer.alloc(bytes))
    client.end()
    await once(stream, 'end')
    let received = 0
    client.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    await once(client, 'end')
    expect(received).toBe(bytes)
    await eventually(() => expect(heard).toEqual(['ended']))
    expect(isGiven()).toBe(false)
  })

  it('ends when its client is gone', async () => {
    const [client, stream] = await connected()
    stream.on('error', () => {})
    const { socket, heard } = open(stream)
    client.resetAndDestroy()
    await eventually(() => expect(heard).toEqual(['ended']))
    expect(socket.isOpen).toBe(false)
    socket.ping()
    socket.close(4000, '')
    socket.terminate()
    expect(heard).toEqual(['ended'])
  })
})
