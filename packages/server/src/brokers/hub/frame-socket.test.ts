import { PassThrough } from 'node:stream'
import { eventually, turn } from '@fusewire/testkit'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeFrame, FrameSocket, type Message } from './frame-socket.ts'

const LIMIT = { maxUnreadBytes: 1000 }

it('takes messages from whatever pieces they come in', () => {
  const message = fc.tuple(
    fc.string(),
    fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.jsonValue(), fc.constant('x'.repeat(70_000))),
  )
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }),
      (messages, sizes) => {
        const stream = new PassThrough()
        const heard: Message[] = []
        new FrameSocket(stream, { message: (one) => heard.push(one), closed: () => undefined }, LIMIT)
        const bytes = Buffer.concat(messages.map((one) => encodeFrame(one)))
        for (let at = 0, piece = 0; at < bytes.length; piece++) {
          const end = at + (sizes[piece % sizes.length] ?? 1)
          stream.emit('data', bytes.subarray(at, end))
          at = end
        }
        // -0 is 0 in JSON, and stays what it is here.
        expect(JSON.stringify(heard)).toEqual(JSON.stringify(messages))
      },
    ),
  )
})

it('writes once a turn', async () => {
  const stream = new PassThrough()
  const writes: Buffer[] = []
  stream.write = ((chunk: Buffer) => writes.push(chunk) > 0) as typeof stream.write
  const socket = new FrameSocket(stream, { message: () => undefined, closed: () => undefined }, LIMIT)
  for (const n of [1, 2, 3]) socket.send('n', n)
  expect(writes).toEqual([])
  await turn()
  await eventually(() => expect(writes).toEqual([Buffer.concat([1, 2, 3].map((n) => encodeFrame(['n', n])))]))
})

it('closes when more waits than may, and sends nothing after that', async () => {
  const reasons: string[] = []
  const socket = new FrameSocket(new PassThrough(), { message: () => undefined, closed: (reason) => reasons.push(reason) }, LIMIT)
  socket.send('large', 'x'.repeat(2000))
  expect(reasons).toEqual([])
  socket.send('one more')
  expect(reasons).toEqual(['unread'])
  expect(socket.isClosed).toBe(true)
  socket.send('after')
  socket.close()
  expect(reasons).toEqual(['unread'])
})

it('is closed by the end of the other side, once', async () => {
  const reasons: string[] = []
  const stream = new PassThrough()
  new FrameSocket(stream, { message: () => undefined, closed: (reason) => reasons.push(reason) }, LIMIT)
  stream.end()
  await eventually(() => expect(reasons).toEqual(['ended']))
  await eventually(() => expect(stream.destroyed).toBe(true))
  expect(reasons).toEqual(['ended'])
})
