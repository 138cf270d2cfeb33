/** The ws package: `send` for each client, as most people write it first; or, with `--ready`, one frame that is written to all. */
import type { Duplex } from 'node:stream'
import * as ws from 'ws'
import { createHttpServer, listen, settings } from './listen.js'
import { Rooms } from './rooms.js'

interface Client {
  readonly webSocket: ws.WebSocket
  readonly socket: Duplex
}

interface FrameOptions {
  readonly fin: boolean
  readonly opcode: number
  readonly mask: boolean
  readonly readOnly: boolean
  readonly rsv1: boolean
}

/** Public in the package, but not in its types. */
const { frame } = (ws as unknown as { Sender: { frame(data: Buffer, options: FrameOptions): Buffer[] } }).Sender

const TEXT = { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false }

const rooms = new Rooms<Client>({
  fanOut: (clients, payload) => {
    if (settings.ready) {
      const bytes = Buffer.concat(frame(payload, TEXT))
      for (const { socket } of clients) socket.write(bytes)
      return
    }
    const text = payload.toString()
    for (const { webSocket } of clients) webSocket.send(text)
  },
  answer: ({ webSocket }, payload) => webSocket.send(payload.toString()),
})

const http = createHttpServer()
const server = new ws.WebSocketServer({ server: http, perMessageDeflate: settings.deflate && { threshold: 0 } })
server.on('connection', (webSocket, { socket }) => {
  const client = { webSocket, socket }
  webSocket.on('message', (data: Buffer) => rooms.handle(client, data)).on('close', () => rooms.leave(client))
})
listen(http)
