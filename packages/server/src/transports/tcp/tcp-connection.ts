import type { Socket } from 'node:net'
import type { Connection, Frame, Peer, Slot } from '@fusewire/engine'
import { jsonCodec, LineDecoder, type MessageError } from '@fusewire/protocol'
import { ndjsonFormat } from '../formats.ts'
import { deliver } from '../inbound.ts'
import { Outbox, type Sink } from '../outbox.ts'
import type { TransportContext } from '../transport-context.ts'

/** A line that carries nothing: shows that the other side is there, in either direction. */
const BLANK_LINE = Buffer.from('\n')

const kConnection = Symbol('connection')

/** How long things may take that end a connection, in milliseconds. */
export interface TcpDeadlines {
  /** For answers to what a client had asked before it ended its side. */
  readonly halfClosedMs: number
  /** For a client to read the end of its stream. */
  readonly closeTimeoutMs: number
}

/** The socket knows its connection, so that its listeners are the same functions for all connections. */
type TcpSocket = Socket & { [kConnection]?: TcpConnection }

/**
 * Newline-delimited JSON both ways over a bare socket.
 *
 *     open ──close(), a while after the client has ended its side──▶ closing ──▶ closed
 *       └───────────────overflow, the line is cut──────────────────────────────▲
 */
export class TcpConnection implements Connection, Sink {
  readonly transport = 'tcp'
  readonly format = ndjsonFormat
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #context: TransportContext
  readonly #deadlines: TcpDeadlines
  readonly #outbox: Outbox
  readonly #lines: LineDecoder
  #state: 'open' | 'closing' | 'closed' = 'open'
  #peer: Peer | undefined
  /** Set while the connection ends. */
  #deadline: NodeJS.Timeout | undefined

  constructor(socket: Socket, context: TransportContext, deadlines: TcpDeadlines) {
    this.remoteAddress = context.clientAddress(socket.remoteAddress, undefined)
    this.#socket = socket
    this.#context = context
    this.#deadlines = deadlines
    this.#outbox = new Outbox(context, this)
    this.#lines = new LineDecoder(context.limits.maxMessageBytes)
    const { tcp } = context.traffic
    tcp.opened++
    tcp.connections++
    this.#peer = context.open(this)
    ;(socket as TcpSocket)[kConnection] = this
    socket.on('data', onData)
    socket.on('end', onEnd)
    socket.on('close', onClose)
  }

  send(frame: Frame, slot?: Slot): void {
    this.#outbox.push(frame, slot)
  }

  /** The `disconnect` message before it has told the client why. */
  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#outbox.end()
    this.#socket.end()
    this.#endIn(this.#deadlines.closeTimeoutMs, () => this.#socket.destroy())
  }

  probe(): void {
    if (this.#state !== 'open') return
    // There is no answer to be had; that the bytes have left is the sign.
    this.#context.traffic.tcp.bytesOut += BLANK_LINE.byteLength
    this.#socket.write(BLANK_LINE, (error) => {
      if (!error) this.#peer?.alive()
    })
  }

  write(bytes: Uint8Array): boolean {
    this.#context.traffic.tcp.bytesOut += bytes.byteLength
    if (this.#socket.write(bytes)) return true
    this.#socket.once('drain', () => this.#outbox.drained())
    return false
  }

  overflow(): void {
    // Closing takes turns of the event loop, so the engine hears of it after its send.
    this.#socket.destroy()
  }

  read(chunk: Buffer): void {
    this.#context.traffic.tcp.bytesIn += chunk.byteLength
    this.#lines.read(
      chunk,
      (line) => this.#receive(line),
      (error) => {
        if (this.#state === 'open') this.#peer?.reject(error)
      },
    )
  }

  /**
   * The client has said its last, as `printf … | nc -N` does, and may still read: it gets a moment for answers that are under way.
   * No longer, because nothing more can come from it, not even a sign of life.
   */
  finish(): void {
    if (this.#state !== 'open') return
    try {
      const line = this.#lines.end()
      if (line !== undefined) this.#receive(line)
    } catch (error) {
      this.#peer?.reject(error as MessageError)
    }
    if (this.#state === 'open') this.#endIn(this.#deadlines.halfClosedMs, () => this.close())
  }

  ended(): void {
    clearTimeout(this.#deadline)
    this.#state = 'closed'
    this.#outbox.abandon()
    this.#context.traffic.tcp.connections--
    this.#peer?.closed()
    this.#peer = undefined
  }

  #receive(line: string): void {
    if (this.#state !== 'open' || !this.#peer) return
    if (line.trim() === '') this.#peer.alive()
    else deliver(this.#peer, jsonCodec, line, this.#context.limits.maxDepth)
  }

  #endIn(ms: number, end: () => void): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(end, ms)
  }
}

function onData(this: TcpSocket, chunk: Buffer): void {
  this[kConnection]?.read(chunk)
}

function onEnd(this: TcpSocket): void {
  this[kConnection]?.finish()
}

function onClose(this: TcpSocket): void {
  this[kConnection]?.ended()
}
