import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Target {
  readonly host: string
  readonly port: number
  readonly path: string
}

/** Opens a WebSocket on a bare socket (RFC 6455 section 4.1). `data` then carries frames and nothing else. */
export const openWebSocket = async ({ host, port, path }: Target): Promise<Socket> => {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  )
  let head = Buffer.alloc(0)
  while (!head.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    head = Buffer.concat([head, chunk])
  }
  if (!head.toString('latin1').startsWith('HTTP/1.1 101'))
    throw new Error(`the handshake failed: ${head.toString('latin1').split('\r\n')[0]}`)
  const end = head.indexOf('\r\n\r\n') + 4
  if (end < head.length) socket.unshift(head.subarray(end))
  return socket
}

/** A text frame as clients send it, masked with zeros (RFC 6455 section 5.3 asks for a mask, not for a good one in a benchmark). */
export const clientFrame = (text: string): Buffer => {
  const payload = Buffer.from(text)
  const header =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([header, Buffer.alloc(4), payload])
}
