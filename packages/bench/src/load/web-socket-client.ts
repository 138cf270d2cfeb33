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

/** Hears how many messages have become whole with a chunk, which is its own only until it returns. */
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
  const write = (bytes: Buffer): void => void socket.write(bytes)
  const opening = new Opening(request.dialect.handshake, write, onMessages)
  const socket = await openSocket(address, { ...options, onBytes: (bytes) => opening.read(bytes) })
  socket
    .on('close', () => opening.lose())
    .on('error', (error) => {
      opening.fail(error)
      socket.destroy()
    })
  const headers = {
    host: `${address.host}:${address.port}`,
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    ...headersOf(request),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${request.dialect.path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  await opening.done
  return { socket, write, destroy: () => void socket.destroy() }
}

const EMPTY = Buffer.alloc(0)
const END_OF_HEAD = '\r\n\r\n'

/**
 * Reads what a server sends: the answer to the handshake of WebSocket, then the messages of the dialect's own handshake, which are not
 * what a client is sent because of what it does, and then whatever comes.
 */
class Opening {
  /** Resolves once the client may go on. */
  readonly done: Promise<void>
  readonly #handshake: Dialect['handshake']
  readonly #write: (bytes: Buffer) => void
  readonly #onMessages: OnMessages
  readonly #counter: FrameCounter
  /** Undefined once the answer to the handshake is whole. */
  #head: Buffer | undefined = EMPTY
  /** Messages of the dialect's handshake that are still to come. */
  #missing: number
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor(handshake: Dialect['handshake'], write: (bytes: Buffer) => void, onMessages: OnMessages) {
    this.#handshake = handshake
    this.#write = write
    this.#onMessages = onMessages
    this.#counter = counterFor(write)
    this.#missing = handshake.answers
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  read(bytes: Buffer): void {
    if (this.#head) this.#readHead(Buffer.concat([this.#head, bytes]))
    else this.#receive(bytes)
  }

  /** The connection was closed. Without effect once the client has been greeted, as the next. */
  lose(): void {
    const what = this.#head ? 'instead of an answer to the handshake' : 'before the client was greeted'
    this.fail(new Error(`the connection was closed ${what}`))
  }

  fail(error: Error): void {
    this.#reject(error)
  }

  #readHead(head: Buffer): void {
    const end = head.indexOf(END_OF_HEAD)
    this.#head = end === -1 ? head : undefined
    if (end === -1) return
    const status = head.toString('latin1', 0, head.indexOf('\r\n'))
    if (!status.startsWith('HTTP/1.1 101')) {
      this.fail(new Error(`the handshake was answered with ${status}`))
      return
    }
    for (const frame of this.#handshake.frames) this.#write(frame)
    if (this.#missing === 0) this.#resolve()
    const rest = head.subarray(end + END_OF_HEAD.length)
    if (rest.length > 0) this.#receive(rest)
  }

  #receive(bytes: Buffer): void {
    const messages = this.#counter.push(bytes)
    if (this.#missing === 0) {
      this.#onMessages(messages, bytes)
      return
    }
    const held = Math.min(this.#missing, messages)
    this.#missing -= held
    if (this.#missing === 0) this.#resolve()
    if (messages > held) this.#onMessages(messages - held, bytes)
  }
}

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
