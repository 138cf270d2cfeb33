/** The floor: what the kernel and `socket.write` allow when nothing else is done. */
import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { createHttpServer, listen, settings } from './listen.js'
import { Rooms } from './rooms.js'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A text frame of a server. */
const frameOf = (payload: Buffer): Buffer => {
  const header =
    payload.length < 126
      ? Buffer.from([0x81, payload.length])
      : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([header, payload])
}

/** What one chunk of a publisher has brought, for each set of clients. */
const waiting = new Map<Iterable<Duplex>, Buffer[]>()

const rooms = new Rooms<Duplex>({
  fanOut: (clients, payload) => {
    const frame = frameOf(payload)
    if (!settings.joined) {
      for (const client of clients) client.write(frame)
      return
    }
    const frames = waiting.get(clients)
    if (frames) frames.push(frame)
    else waiting.set(clients, [frame])
  },
  answer: (client, payload) => void client.write(frameOf(payload)),
})

const writeJoined = (): void => {
  for (const [clients, frames] of waiting) {
    const joined = Buffer.concat(frames)
    for (const client of clients) client.write(joined)
  }
  waiting.clear()
}

const server = createHttpServer().on('upgrade', (request, socket: Duplex) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  socket.on('error', () => socket.destroy()).on('close', () => rooms.leave(socket))
  let pending: Buffer | undefined
  socket.on('data', (chunk: Buffer) => {
    const bytes = pending ? Buffer.concat([pending, chunk]) : chunk
    let at = 0
    for (;;) {
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const start = at + (short < 126 ? 6 : 8)
      if (bytes.length < start) break
      const end = start + (short < 126 ? short : bytes.readUInt16BE(at + 2))
      if (bytes.length < end) break
      rooms.handle(socket, bytes.subarray(start, end))
      at = end
    }
    pending = at < bytes.length ? bytes.subarray(at) : undefined
    writeJoined()
  })
})
listen(server)
