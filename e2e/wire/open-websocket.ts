import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { PATHS } from '@fusewire/protocol'
import { RawWebSocket } from './raw-websocket.ts'
import { readUntil } from './read-until.ts'

export interface WebSocketRequest {
  /** Default `/fusewire/v1/ws`. */
  readonly path?: string
  readonly subprotocol?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The server has answered a WebSocket handshake with something else than its consent. */
export class HandshakeRefused extends Error {
  readonly status: number
  readonly body: string

  constructor(status: number, body: string) {
    super(`the handshake was answered with ${status} ${body}`)
    this.status = status
    this.body = body
  }
}

const KEY_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Opens a TCP connection, over TLS with this ALPN protocol for an `https:` URL. */
export const openSocket = async (base: string, alpn = 'http/1.1'): Promise<Socket> => {
  const { protocol, port } = new URL(base)
  const at = { host: '127.0.0.1', port: Number(port) }
  const isTls = protocol === 'https:'
  const socket = isTls ? connectTls({ ...at, servername: 'localhost', ALPNProtocols: [alpn] }) : connect(at)
  await once(socket, isTls ? 'secureConnect' : 'connect')
  socket.on('error', () => {})
  return socket
}

/** The head of a WebSocket handshake over HTTP/1.1 (RFC 6455 section 4.1). */
export const handshakeHead = (request: WebSocketRequest = {}, key = randomBytes(16).toString('base64')): string => {
  const { path = PATHS.webSocket, subprotocol, headers = {} } = request
  const all = {
    host: 'localhost',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
    ...(subprotocol !== undefined && { 'sec-websocket-protocol': subprotocol }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/**
 * Opens a WebSocket over HTTP/1.1.
 * @throws {@link HandshakeRefused}
 */
export const upgrade = async (base: string, request: WebSocketRequest = {}): Promise<RawWebSocket> => {
  const socket = await openSocket(base)
  const key = randomBytes(16).toString('base64')
  socket.write(handshakeHead(request, key))
  const head = await readUntil(socket, '\r\n\r\n')
  const status = Number(head.text.slice(9, 12))
  if (status !== 101) {
    const rest = await readUntil(socket, undefined)
    socket.destroy()
    throw new HandshakeRefused(status, head.rest.toString() + rest.text)
  }
  const accept = createHash('sha1')
    .update(key + KEY_GUID)
    .digest('base64')
  if (!head.text.toLowerCase().includes(`sec-websocket-accept: ${accept.toLowerCase()}`))
    throw new Error(`wrong key: ${head.text}`)
  return new RawWebSocket(socket, head.rest)
}

/**
 * Opens a WebSocket on a stream of an HTTP/2 session (RFC 8441).
 * @throws {@link HandshakeRefused}
 */
export const connectStream = async (session: ClientHttp2Session, request: WebSocketRequest = {}): Promise<RawWebSocket> => {
  const { path = PATHS.webSocket, subprotocol, headers = {} } = request
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'https',
      ':path': path,
      ':authority': 'localhost',
      'sec-websocket-version': '13',
      ...(subprotocol !== undefined && { 'sec-websocket-protocol': subprotocol }),
      ...headers,
    },
    { endStream: false },
  )
  const [answer] = (await once(stream, 'response')) as [{ ':status'?: number }]
  const status = answer[':status'] ?? 0
  if (status === 200) return new RawWebSocket(stream, Buffer.alloc(0))
  const { text } = await readUntil(stream, undefined)
  stream.close()
  throw new HandshakeRefused(status, text)
}
