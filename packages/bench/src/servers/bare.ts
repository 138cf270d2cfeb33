/** The floor: what the kernel, Node's streams and their `write` allow when nothing else is done. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { createHttp2Server, createHttpServer, listen, settings } from './listen.js'
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

const serve = (client: Duplex): void => {
  // The HTTP server leaves its half of a connection open when the client ends its own.
  client
    .on('end', () => client.end())
    .on('error', () => client.destroy())
    .on('close', () => rooms.leave(client))
  let pending: Buffer | undefined
  client.on('data', (chunk: Buffer) => {
    const bytes = pending ? Buffer.concat([pending, chunk]) : chunk
    let at = 0
    for (;;) {
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const start = at + (short < 126 ? 6 : 8)
      if (bytes.length < start) break
      const end = start + (short < 126 ? short : bytes.readUInt16BE(at + 2))
      if (bytes.length < end) break
      rooms.handle(client, bytes.subarray(start, end))
      at = end
    }
    pending = at < bytes.length ? bytes.subarray(at) : undefined
    writeJoined()
  })
}

const upgrade = (request: IncomingMessage, socket: Duplex): void => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  serve(socket)
}

/** WebSocket over HTTP/2 (RFC 8441); over HTTP/1.1 for whoever publishes. */
const acceptStream = (stream: ServerHttp2Stream): void => {
  stream.respond({ ':status': 200 })
  serve(stream)
}

listen(
  settings.http2
    ? createHttp2Server().on('upgrade', upgrade).on('stream', acceptStream)
    : createHttpServer().on('upgrade', upgrade),
)
