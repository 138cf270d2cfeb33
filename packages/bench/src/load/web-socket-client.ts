import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { clientFrame, PONG_FRAME } from './client-frame.ts'
import type { Dialect } from './dialect.ts'
import { FrameCounter } from './frame-counter.ts'
import type { Http2Connection } from './http2-connection.ts'
import { type Address, openSocket, type SocketOptions } from './open-socket.ts'

/** A connected client, of which nothing is kept but the number of messages it has been sent. */
export interface LoadClient {
  /** Sends frames that are ready. Clients that only listen have none. */
  write(bytes: Buffer): void
  destroy(): void
}

/** Hears how many messages have become whole with a chunk. */
export type OnMessages = (messages: number, chunk: Buffer) => void

export interface WebSocketRequest {
  readonly dialect: Dialect
  /** Offers permessage-deflate (RFC 7692), which leaves it to the server to compress. */
  readonly isDeflateOffered?: boolean
}

const ENGINE_IO_PONG = clientFrame('3')

const headersOf = ({ dialect, isDeflateOffered }: WebSocketRequest): Readonly<Record<string, string>> => ({
  'sec-websocket-version': '13',
  ...(dialect.subprotocol !== undefined && { 'sec-websocket-protocol': dialect.subprotocol }),
  ...(isDeflateOffered && { 'sec-websocket-extensions': 'permessage-deflate' }),
})

const counterFor = (write: (bytes: Buffer) => void): FrameCounter =>
  new FrameCounter({ onPing: () => write(PONG_FRAME), onHeartbeat: () => write(ENGINE_IO_PONG) })

/** Opens a WebSocket on a socket of its own (RFC 6455 section 4.1). */
export const openWebSocket = async (
  address: Address,
  request: WebSocketRequest,
  onMessages: OnMessages,
  options: SocketOptions = {},
): Promise<LoadClient & { readonly socket: Socket }> => {
  const socket = await openSocket(address, options)
  const headers = {
    host: `${address.host}:${address.port}`,
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    ...headersOf(request),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${request.dialect.path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  const rest = await readHandshake(socket)
  const write = (bytes: Buffer): void => void socket.write(bytes)
  const counter = counterFor(write)
  const greeting = new Greeting(request.dialect.handshake.answers, onMessages)
  const receive = (chunk: Buffer): void => greeting.receive(counter.push(chunk), chunk)
  if (rest.length > 0) receive(rest)
  socket.on('data', receive).on('error', () => socket.destroy())
  for (const frame of request.dialect.handshake.frames) write(frame)
  await greeting.done
  return { socket, write, destroy: () => void socket.destroy() }
}

/** Holds back the messages of the dialect's handshake, which are not what a client is sent because of what it does. */
class Greeting {
  /** Resolves once the client may go on. */
  readonly done: Promise<void>
  readonly #onMessages: OnMessages
  #missing: number
  #resolve: () => void = () => {}

  constructor(answers: number, onMessages: OnMessages) {
    this.#missing = answers
    this.#onMessages = onMessages
    this.done =
      answers === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            this.#resolve = resolve
          })
  }

  receive(messages: number, chunk: Buffer): void {
    if (this.#missing === 0) {
      this.#onMessages(messages, chunk)
      return
    }
    const held = Math.min(this.#missing, messages)
    this.#missing -= held
    if (this.#missing === 0) this.#resolve()
    if (messages > held) this.#onMessages(messages - held, chunk)
  }
}

/** Resolves with what has come behind the answer. */
const readHandshake = (socket: Socket): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    let head: Buffer = Buffer.alloc(0)
    const lost = (): void => reject(new Error('the connection was closed instead of an answer to the handshake'))
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      socket.off('data', read).off('close', lost).off('error', reject)
      const [status = ''] = head.toString('latin1').split('\r\n')
      if (status.startsWith('HTTP/1.1 101')) resolve(head.subarray(end + 4))
      else reject(new Error(`the handshake was answered with ${status}`))
    }
    socket.on('data', read).on('error', reject).on('close', lost)
  })

/** Opens a WebSocket on a stream of an HTTP/2 connection (RFC 8441). */
export const openWebSocketStream = (
  connection: Http2Connection,
  request: WebSocketRequest,
  onMessages: OnMessages,
): Promise<LoadClient> =>
  new Promise((resolve, reject) => {
    const counter = counterFor((bytes) => stream.write(bytes))
    const stream = connection.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':scheme': 'https',
        ':path': request.dialect.path,
        ':authority': 'localhost',
        ...headersOf(request),
      },
      {
        onHeaders: (isOk) => {
          if (isOk) resolve({ write: (bytes) => stream.write(bytes), destroy: () => stream.end() })
          else reject(new Error('the extended CONNECT was refused'))
        },
        onData: (chunk) => onMessages(counter.push(chunk), chunk),
        onEnd: () => reject(new Error('the stream was ended')),
      },
      undefined,
      true,
    )
  })
