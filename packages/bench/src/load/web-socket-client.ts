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
  const counter = counterFor(write)
  const greeting = new Greeting(request.dialect.handshake.answers, onMessages)
  const answer = new HandshakeAnswer((bytes) => greeting.receive(counter.push(bytes), bytes))
  const socket = await openSocket(address, { ...options, onBytes: (bytes) => answer.read(bytes) })
  const lost = (): void => answer.fail(new Error('the connection was closed instead of an answer to the handshake'))
  socket.on('close', lost).on('error', (error) => {
    answer.fail(error)
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
  await answer.done
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

/** Reads the server's answer to the handshake; whatever comes behind it is handed on. */
class HandshakeAnswer {
  /** Rejects when it is another answer, or none. */
  readonly done: Promise<void>
  readonly #onBytes: (bytes: Buffer) => void
  #head: Buffer | undefined = Buffer.alloc(0)
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor(onBytes: (bytes: Buffer) => void) {
    this.#onBytes = onBytes
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  read(bytes: Buffer): void {
    if (!this.#head) {
      this.#onBytes(bytes)
      return
    }
    this.#head = Buffer.concat([this.#head, bytes])
    const end = this.#head.indexOf('\r\n\r\n')
    if (end === -1) return
    const [status = ''] = this.#head.toString('latin1').split('\r\n')
    const rest = this.#head.subarray(end + 4)
    this.#head = undefined
    if (!status.startsWith('HTTP/1.1 101')) {
      this.fail(new Error(`the handshake was answered with ${status}`))
      return
    }
    this.#resolve()
    if (rest.length > 0) this.#onBytes(rest)
  }

  /** Without effect once the answer has come. */
  fail(error: Error): void {
    this.#reject(error)
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
