import type { Socket } from 'node:net'
import { eventually } from '@fusewire/testkit'
import { describe, expect, it } from 'vitest'
import { openTcp, readAll } from '../../listener/testing/raw-client.ts'
import { startTestSockets } from '../testing/start-sockets.ts'

/** A masked ping; the mask is zero. */
const PING = Buffer.concat([Buffer.from([0x89, 125 | 0x80, 0, 0, 0, 0]), Buffer.alloc(125, 'x')])
const PINGS = Buffer.concat(Array.from({ length: 1000 }, () => PING))

/** A client that has shaken hands at this path and reads nothing more. */
const open = async (port: number, path: string): Promise<Socket> => {
  const socket = await openTcp(port)
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  await readAll(socket, (text) => text.endsWith('\r\n\r\n'))
  return socket
}

describe('ping frames of a client', () => {
  it('are answered, and are signs of life', async () => {
    const { port, context } = await startTestSockets()
    const socket = await open(port, '/ws')
    socket.write(PING)
    const answer = await readAll(socket, (text) => text.length >= 127)
    expect(answer.endsWith('x'.repeat(125))).toBe(true)
    expect(context.engine.peers.map(({ signs }) => signs)).toEqual([1])
    socket.destroy()
  })

  // The pongs of `ws` do not wait in the outbox: it is `ws` that keeps their number down (maxPendingAutoPongs).
  it.each(['/ws', '/fusewire/v1/echo'])('end the connection of one that reads no answers, at %s', async (path) => {
    const { port, context } = await startTestSockets()
    const socket = await open(port, path)
    socket.pause()
    for (let n = 0; n < 10; n++) socket.write(PINGS)
    await eventually(() => expect(context.traffic.websocket.connections).toBe(0))
    socket.destroy()
  })
})
