import type { Duplex } from 'node:stream'
import type { Connection, Frame, FrameFormat, Peer, Slot } from '@fusewire/engine'
import { type Codec, type DisconnectCode, ERRORS, FusewireError } from '@fusewire/protocol'
import type { FlushQueue } from '../flush-scheduler.ts'
import { deliver } from '../inbound.ts'
import { Outbox, type Sink } from '../outbox.ts'
import type { TransportTraffic } from '../traffic.ts'
import type { TransportContext } from '../transport-context.ts'
import { closeReason } from './close-reason.ts'
import { type OutletOwner, Outlets } from './outlets.ts'
import type { ControlledWebSocket, SocketOwner } from './owned-websocket.ts'

/** What lies under a WebSocket: a TCP or TLS socket, or a stream of HTTP/2. */
export interface Carrier {
  readonly transport: 'websocket' | 'websocket-h2'
  readonly stream: Duplex
  readonly remoteAddress: string
  /** Where the connection waits to be flushed; absent where it waits with all others. */
  readonly queue?: FlushQueue
  /** The client's next stream is to come on another connection; absent where the carrier is the whole connection. */
  readonly leave?: (stream: Duplex) => void
}

/** What a connection needs besides its carrier. */
export interface WebSocketServices {
  readonly context: TransportContext
  readonly codec: Codec
  readonly format: FrameFormat
  /** The multicast of the format. */
  readonly outlets: Outlets
  /** A closing that the other side does not finish is cut off after this time. */
  readonly closeTimeoutMs: number
}

/**
 * A WebSocket of the engine's, which reads and writes control frames; the engine's frames are ready-made and are written to the
 * carrier directly, between whole control frames: by an outlet, or, where that is shut, from an outbox. It is shut while the carrier is
 * full, and always where the connection has a queue of its own.
 *
 *     open ──close(), overflow──▶ closing ──▶ closed
 *       └──────the client closes, or is gone────▲
 */
export class WebSocketConnection implements Connection, SocketOwner, Sink, OutletOwner {
  readonly transport: Carrier['transport']
  readonly format: FrameFormat
  readonly remoteAddress: string
  readonly #socket: ControlledWebSocket
  readonly #leave: Carrier['leave']
  readonly #stream: Duplex
  readonly #codec: Codec
  readonly #context: TransportContext
  readonly #traffic: TransportTraffic
  readonly #closeTimeoutMs: number
  readonly #outlets: Outlets
  readonly #outbox: Outbox
  #number: number
  #state: 'open' | 'closing' | 'closed' = 'open'
  /** The client has had a close frame, perhaps from `ws`. Kept here, so that a write does not have to look at the socket. */
  #hasSentClose = false
  /** Absent once it has been told of the end. */
  #peer: Peer | undefined

  constructor(socket: ControlledWebSocket, carrier: Carrier, services: WebSocketServices) {
    const { context } = services
    this.transport = carrier.transport
    this.format = services.format
    this.remoteAddress = carrier.remoteAddress
    this.#socket = socket
    this.#leave = carrier.leave
    this.#stream = carrier.stream
    this.#codec = services.codec
    this.#context = context
    this.#closeTimeoutMs = services.closeTimeoutMs
    this.#outlets = services.outlets
    this.#number = this.#outlets.open(this, carrier.queue ? undefined : carrier.stream)
    this.#outbox = new Outbox(context, this, carrier.queue)
    socket.owner = this
    this.#traffic = context.traffic[this.transport]
    this.#traffic.opened++
    this.#traffic.connections++
    this.#peer = context.open(this)
  }

  /** That of its outlet. */
  get number(): number {
    return this.#number
  }

  send(frame: Frame, slot?: Slot): void {
    if (!this.#outlets.push(this.#number, frame)) this.enqueue(frame, slot)
  }

  enqueue(frame: Frame, slot: Slot | undefined): void {
    this.#outbox.push(frame, slot)
  }

  close(code: DisconnectCode, reason: string): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#outlets.shut(this.#number)
    this.#outbox.end()
    this.#startClosing(ERRORS[code].closeCode, reason)
    if (code === 'server_draining') this.#leave?.(this.#stream)
  }

  probe(): void {
    if (this.#socket.isOpen) this.#socket.ping()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#hasSentClose) return true
    this.#traffic.bytesOut += bytes.byteLength
    if (this.#stream.write(bytes)) return true
    this.#awaitDrain()
    return false
  }

  filled(): void {
    this.#outbox.filled()
    this.#awaitDrain()
  }

  overflow(): void {
    this.#state = 'closing'
    this.#startClosing(ERRORS.slow_consumer.closeCode, ERRORS.slow_consumer.help)
    // The engine is in the middle of a send.
    queueMicrotask(() => this.#tellEnd())
  }

  message(bytes: Buffer, start: number, end: number, isBinary: boolean): void {
    if (this.#state !== 'open' || !this.#peer) return
    this.#traffic.bytesIn += end - start
    if (isBinary !== (this.#codec.frame === 'binary')) this.#peer.reject(new FusewireError('wrong_frame_type'))
    else {
      const payload = isBinary ? bytes.subarray(start, end) : bytes.toString('utf8', start, end)
      deliver(this.#peer, this.#codec, payload, this.#context.limits.maxDepth)
    }
  }

  sign(): void {
    this.#peer?.alive()
  }

  failed(error: Error): void {
    const { transport, remoteAddress } = this
    this.#context.log('websocket_protocol_error', { transport, remoteAddress, error: error.message })
    // `ws` has refused the message with 1009; the engine is to know for what.
    if (isTooLarge(error)) this.#peer?.reject(new FusewireError('message_too_large'))
  }

  closing(): void {
    this.#hasSentClose = true
    this.#outlets.forget(this.#number)
  }

  ended(): void {
    this.#state = 'closed'
    this.#outbox.abandon()
    this.#traffic.connections--
    this.#tellEnd()
    this.#outlets.release(this.#number)
    this.#number = Outlets.none
  }

  #awaitDrain(): void {
    this.#stream.once('drain', () => {
      this.#outbox.drained()
      if (this.#outbox.isOpen) this.#outlets.reopen(this.#number)
    })
  }

  #startClosing(closeCode: number, reason: string): void {
    if (this.#socket.isOpen) this.#socket.close(closeCode, closeReason(reason))
    // The client has ended its side without a closing handshake: `ws` sets no deadline for it to read the rest.
    else setTimeout(() => this.#socket.terminate(), this.#closeTimeoutMs).unref()
  }

  #tellEnd(): void {
    const peer = this.#peer
    this.#peer = undefined
    peer?.closed()
  }
}

const isTooLarge = ({ code }: NodeJS.ErrnoException): boolean => code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
