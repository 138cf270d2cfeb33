/**
 * The least that is to be built on the ws package for what Fusewire does with a client that comes and goes: reads `connect` as JSON, gives
 * it a session with a secret, subscribes it, and keeps the session for a minute when the client has gone. It checks and limits nothing.
 */
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import * as ws from 'ws'
import { createHttpServer, listen } from './listen.js'

interface Session {
  readonly id: string
  readonly resume: string
  readonly channels: readonly string[]
  /** In milliseconds since 1970. */
  readonly endsAt: number
}

const SESSION_TTL_MS = 60_000

const rooms = new Map<string, Set<ws.WebSocket>>()
/** Those whose client has gone, in the order in which they end. */
const waiting = new Map<string, Session>()

setInterval(() => {
  for (const [id, { endsAt }] of waiting) {
    if (endsAt > Date.now()) return
    waiting.delete(id)
  }
}, 1000)

const roomOf = (channel: string): Set<ws.WebSocket> => {
  const known = rooms.get(channel)
  if (known) return known
  const room = new Set<ws.WebSocket>()
  rooms.set(channel, room)
  return room
}

const connect = (socket: ws.WebSocket, stream: Duplex, channels: readonly string[]): void => {
  const random = randomBytes(27).toString('base64url')
  const id = random.slice(0, 12)
  const resume = `${id}.${random.slice(12)}`
  // Both answers leave in one write.
  stream.cork()
  socket.send(JSON.stringify({ type: 'connected', session: id, resume, resumed: false, sessionTtlMs: SESSION_TTL_MS }))
  for (const channel of channels) {
    roomOf(channel).add(socket)
    socket.send(JSON.stringify({ type: 'subscribed', channel, position: { epoch: 'only', offset: 0 } }))
  }
  stream.uncork()
  socket.on('close', () => {
    for (const channel of channels) roomOf(channel).delete(socket)
    waiting.set(id, { id, resume, channels, endsAt: Date.now() + SESSION_TTL_MS })
  })
}

const http = createHttpServer()
const server = new ws.WebSocketServer({ server: http })
server.on('connection', (socket, { socket: stream }) => {
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { type: string; subscriptions?: { channel: string }[] }
    if (message.type === 'connect') connect(socket, stream, message.subscriptions?.map(({ channel }) => channel) ?? [])
  })
})
listen(http)
