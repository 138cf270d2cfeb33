import { eventually } from '@fusewire/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PREFACE } from '../listener/first-bytes.ts'
import { openTcp, readAll } from '../listener/testing/raw-client.ts'
import { type StartedSockets, startSockets } from './testing/start-sockets.ts'

const HANDSHAKE = Buffer.from(
  'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
)

/** What a connection may begin with, so that the random bytes reach every part that reads. */
const BEGINNINGS = {
  nothing: Buffer.alloc(0),
  'a WebSocket': HANDSHAKE,
  'a compressed WebSocket frame': Buffer.concat([HANDSHAKE, Buffer.from([0xc1, 0x90, 0, 0, 0, 0])]),
  'raw TCP': Buffer.from('{'),
  'HTTP/2': Buffer.concat([PREFACE, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]),
  'an HTTP/1 request': Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n'),
}

describe('random bytes', () => {
  let started: StartedSockets
  beforeAll(async () => {
    started = await startSockets()
  })
  afterAll(() => started.listener.close())

  it.each(Object.entries(BEGINNINGS))(
    'after %s hurt nobody, and every connection ends',
    async (_name, beginning) => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
          const socket = await openTcp(started.port)
          const answer = readAll(socket)
          socket.end(Buffer.concat([beginning, bytes]))
          await answer
          socket.destroy()
        }),
        { numRuns: 60 },
      )
      const { engine, traffic } = started.context
      await eventually(() => expect(engine.peers.filter(({ ends }) => ends !== 1)).toEqual([]))
      expect(traffic).toMatchObject({ websocket: { connections: 0 }, tcp: { connections: 0 } })
      const socket = await openTcp(started.port)
      const answer = readAll(socket)
      socket.end('{"type":"ping"}\n')
      expect(await answer).toBe('{"type":"pong"}\n')
    },
    30_000,
  )
})
