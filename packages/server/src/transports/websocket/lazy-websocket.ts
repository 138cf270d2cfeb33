import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { WebSocketServer } from 'ws'
import { readBy, type StreamReader } from '../../listener/stream-reader.ts'
import { OPCODE } from './data-frame.ts'
import type { ControlledWebSocket, OwnedWebSocket, SocketOwner } from './owned-websocket.ts'
import { readPlainFrame } from './plain-frame.ts'
import { adopt } from './ws-internals.ts'

const PING = Buffer.from([0x80 | OPCODE.ping, 0])

const NOTHING = Buffer.alloc(0)

/**
 * A WebSocket without compression that reads plain frames by itself, and is given to `ws` with the first thing that is not one: a fragment,
 * a ping, a close from either side. Most connections come and go without any, and what `ws` makes of each costs as much as its handshake.
 *
 *     plain ──another frame, close()─────▶ given to ws
 *       └─────the stream ends or closes──▶ ended
 */
export class LazyWebSocket implements ControlledWebSocket, StreamReader {
  owner: SocketOwner | undefined
  readonly #stream: Duplex
  readonly #server: WebSocketServer
  #state: 'plain' | 'ended' | OwnedWebSocket = 'plain'

  /** `head` has come behind the handshake. Errors of the stream are heard elsewhere. */
  constructor(stream: Duplex, head: Buffer, server: WebSocketServer) {
    this.#stream = stream
    this.#server = server
    // Before anybody listens: a stream that flows already would hand it on at once, to a WebSocket without an owner.
    if (head.length > 0) stream.unshift(head)
    readBy(stream, this)
  }

  get isOpen(): boolean {
    const state = this.#state
    return typeof state === 'string' ? state === 'plain' : state.readyState === state.OPEN
  }

  ping(): void {
    if (this.#state === 'plain') this.#stream.write(PING)
    else if (typeof this.#state !== 'string') this.#state.ping()
  }

  close(code: number, reason: string | Buffer): void {
    if (this.#state === 'plain') this.#giveToWs(NOTHING)
    if (typeof this.#state !== 'string') this.#state.close(code, reason)
  }

  terminate(): void {
    this.#stream.destroy()
  }

  /** Of the stream. */
  read(bytes: Buffer): void {
    const maxPayloadBytes = this.#server.options.maxPayload ?? 0
    let start = 0
    // Whoever hears a message may end the connection.
    while (start < bytes.length && this.#state === 'plain') {
      const frame = readPlainFrame(bytes, start, maxPayloadBytes)
      if (!frame) break
      start = frame.end
      if (frame.kind === 'pong') this.owner?.sign()
      else this.owner?.message(bytes, frame.start, frame.end, frame.kind === 'binary')
    }
    if (start === bytes.length || this.#state === 'ended') return
    if (this.#state === 'plain') this.#giveToWs(bytes.subarray(start))
    else this.#stream.unshift(bytes.subarray(start))
  }

  /** The client has ended its side without a close frame. */
  end(): void {
    this.#state = 'ended'
    if (isBareTcp(this.#stream) && this.#stream.writableLength === 0) this.#stream.destroy()
    else this.#stream.end()
  }

  closed(): void {
    this.#state = 'ended'
    this.owner?.ended()
  }

  #giveToWs(head: Buffer): void {
    const stream = this.#stream
    const webSocket = adopt<OwnedWebSocket>(this.#server, {
      stream,
      head: NOTHING,
      subprotocol: undefined,
      extensions: undefined,
    })
    webSocket.owner = this.owner
    this.#state = webSocket
    if (head.length > 0) stream.unshift(head)
  }
}

/** To destroy one still sends what the kernel has, and spares the call that ends it; TLS and HTTP/2 have something to say at the end. */
const isBareTcp = (stream: Duplex): boolean => stream instanceof Socket && !(stream instanceof TLSSocket)
