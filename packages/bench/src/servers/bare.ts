/** The floor: what the kernel, Node's streams and their `write` allow when nothing else is done. */
import type { IncomingMessage } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { acceptance, FrameReader, textFrame } from './bare-websocket.js'
import { createHttp2Server, createHttpServer, listen, settings } from './listen.js'
import { Rooms } from './rooms.js'

/** What one chunk of a publisher has brought, for each set of clients. */
const waiting = new Map<Iterable<Duplex>, Buffer[]>()

const rooms = new Rooms<Duplex>({
  fanOut: (clients, payload) => {
    const frame = textFrame(payload)
    if (!settings.joined) {
      for (const client of clients) client.write(frame)
      return
    }
    const frames = waiting.get(clients)
    if (frames) frames.push(frame)
    else waiting.set(clients, [frame])
  },
  answer: (client, payload) => void client.write(textFrame(payload)),
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
  const reader = new FrameReader((payload) => rooms.handle(client, payload))
  client.on('data', (chunk: Buffer) => {
    reader.push(chunk)
    writeJoined()
  })
}

const upgrade = (request: IncomingMessage, socket: Duplex): void => {
  socket.write(acceptance(request.headers['sec-websocket-key']))
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
