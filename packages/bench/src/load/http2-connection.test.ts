import { once } from 'node:events'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { eventually } from '@fusewire/testkit'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { Http2Connection, type StreamEvents } from './http2-connection.ts'

const GET = { ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'localhost' }

const listening = async (server: Server): Promise<{ host: string; port: number; isTls: false }> => {
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { host: '127.0.0.1', port, isTls: false }
}

/** A frame of a server (RFC 9113 section 4.1). */
const frame = (type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer => {
  const header = Buffer.from([0, payload.length >> 8, payload.length & 0xff, type, flags, 0, 0, 0, stream])
  return Buffer.concat([header, payload])
}

const SETTINGS = frame(4, 0, 0)
const STATUS_200 = Buffer.from([0x88])
const STATUS_404 = Buffer.from([0x8d])

/** A connection to a server that says only what a test has it say. */
const connectToScript = async (): Promise<{ connection: Http2Connection; server: Socket; heard: () => Buffer }> => {
  const listener = createServer()
  const address = await listening(listener)
  const accepted = once(listener, 'connection') as Promise<[Socket]>
  const opening = Http2Connection.open(address)
  const [server] = await accepted
  let heard = Buffer.alloc(0)
  server.setNoDelay(true).on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk])
  })
  server.write(SETTINGS)
  const connection = await opening
  onTestFinished(() => {
    connection.destroy()
    server.destroy()
  })
  return { connection, server, heard: () => heard }
}

it('hears of each stream what is its own, however the frames are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (cut) => {
      const { connection, server } = await connectToScript()
      const events: string[] = []
      const writeDown = (name: string): StreamEvents => ({
        onHeaders: (isOk) => events.push(`${name} ${isOk ? 'ok' : 'refused'}`),
        onData: (chunk) => events.push(`${name} ${chunk}`),
        onEnd: () => events.push(`${name} ended`),
      })
      connection.request(GET, writeDown('first'))
      connection.request(GET, writeDown('second'))
      const stream = Buffer.concat([
        frame(1, 0x4, 1, STATUS_200),
        frame(0, 0, 1, Buffer.from('a'.repeat(300))),
        frame(1, 0x4 | 0x1, 3, STATUS_404),
        frame(0, 0, 1, Buffer.from('b')),
        frame(0, 0x1, 1),
      ])
      for (let at = 0; at < stream.length; at += cut) {
        server.write(stream.subarray(at, at + cut))
        await new Promise(setImmediate)
      }
      await eventually(() => expect(events).toHaveLength(6))
      expect(events).toEqual(['first ok', `first ${'a'.repeat(300)}`, 'second refused', 'second ended', 'first b', 'first ended'])
    }),
    { numRuns: 10, examples: [[1], [9]] },
  )
})

it('acknowledges settings and answers pings, and no acknowledgement', async () => {
  const { server, heard } = await connectToScript()
  const [ping, last] = [Buffer.from('12345678'), Buffer.from('87654321')]
  server.write(Buffer.concat([SETTINGS, frame(4, 0x1, 0), frame(6, 0, 0, ping), frame(6, 0x1, 0, ping), frame(6, 0, 0, last)]))
  const acknowledged = frame(4, 0x1, 0)
  const answers = Buffer.concat([acknowledged, acknowledged, frame(6, 0x1, 0, ping), frame(6, 0x1, 0, last)])
  await eventually(() => expect(heard().subarray(-answers.length).toString('hex')).toBe(answers.toString('hex')))
})

it('gives back the room that a server has used up, of each stream and of all together', async () => {
  const bytes = 1_000_000
  const server = createHttp2Server().on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 })
    stream.end(Buffer.alloc(bytes))
  })
  const connection = await Http2Connection.open(await listening(server), { windowBytes: 70_000 })
  onTestFinished(() => connection.destroy())
  const received = await Promise.all(
    Array.from(
      { length: 3 },
      () =>
        new Promise<number>((resolve) => {
          let count = 0
          connection.request(GET, { onData: ({ length }) => (count += length), onEnd: () => resolve(count) })
        }),
    ),
  )
  expect(received).toEqual([bytes, bytes, bytes])
})

it('does not open where the server closes before it has said what it takes', async () => {
  const server = createServer((socket) => socket.destroy())
  await expect(Http2Connection.open(await listening(server))).rejects.toThrow()
})

it('keeps a body back until the server has room for it, and what follows in its order', async () => {
  const { connection, server, heard } = await connectToScript()
  const count = (letter: string): number => heard().filter((byte) => byte === letter.charCodeAt(0)).length
  const post = { ':method': 'POST', ':scheme': 'http', ':path': '/', ':authority': 'localhost' }
  for (const letter of ['~', '^', '|']) connection.request(post, {}, Buffer.alloc(letter === '|' ? 10 : 40_000, letter))
  await eventually(() => expect(count('~')).toBe(40_000))
  const [ping, pong] = [0, 1].map((flags) => frame(6, flags, 0, Buffer.from('12345678')))
  server.write(ping ?? '')
  await eventually(() => expect(heard().includes(pong ?? '')).toBe(true))
  expect([count('^'), count('|')]).toEqual([0, 0])
  server.write(frame(8, 0, 0, Buffer.from([0, 0, 0xff, 0xff])))
  await eventually(() => expect([count('^'), count('|')]).toEqual([40_000, 10]))
})

it('ends its streams with an error when the connection is closed, and opens none from then on', async () => {
  const { connection, server } = await connectToScript()
  const ends: (Error | undefined)[] = []
  for (let stream = 0; stream < 2; stream++) connection.request(GET, { onEnd: (error) => ends.push(error) })
  server.destroy()
  await eventually(() => expect(ends).toEqual([expect.any(Error), expect.any(Error)]))
  expect(() => connection.request(GET, {})).toThrow('the connection is closed')
})
