import { ERRORS } from '@fusewire/protocol'
import type { TransportContext } from '../transport-context.ts'
import { closeReason } from './close-reason.ts'
import { dataFrame, OPCODE } from './data-frame.ts'
import type { OwnedWebSocket, SocketOwner } from './owned-websocket.ts'
import type { Carrier } from './websocket-connection.ts'

/** An echo that has nothing to say for so long is ended. */
const IDLE_TIMEOUT_MS = 300_000

/** Sends every message back as it came, text or binary. Reads no faster than the client does. */
export class EchoConnection implements SocketOwner {
  readonly #socket: OwnedWebSocket
  readonly #carrier: Carrier
  readonly #context: TransportContext
  readonly #onEnded: (connection: EchoConnection) => void

  constructor(
    socket: OwnedWebSocket,
    carrier: Carrier,
    context: TransportContext,
    onEnded: (connection: EchoConnection) => void,
  ) {
    this.#socket = socket
    this.#carrier = carrier
    this.#context = context
    this.#onEnded = onEnded
    socket.owner = this
    const traffic = context.traffic[carrier.transport]
    traffic.opened++
    traffic.connections++
    const { stream } = carrier
    if ('setTimeout' in stream && typeof stream.setTimeout === 'function')
      stream.setTimeout(IDLE_TIMEOUT_MS, () => this.close('heartbeat_timeout'))
  }

  close(code: 'heartbeat_timeout' | 'server_draining'): void {
    this.#socket.close(ERRORS[code].closeCode, closeReason(ERRORS[code].help))
  }

  message(bytes: Buffer, start: number, end: number, isBinary: boolean): void {
    const { stream, transport, remoteAddress } = this.#carrier
    const traffic = this.#context.traffic[transport]
    const length = end - start
    traffic.bytesIn += length
    if (this.#socket.readyState !== this.#socket.OPEN) return
    traffic.bytesOut += length
    const frame = dataFrame({ opcode: isBinary ? OPCODE.binary : OPCODE.text }, length)
    bytes.copy(frame, frame.length - length, start, end)
    // One write of one chunk; `ws` makes one of two, which costs more than copying the data.
    stream.write(frame)
    if (!stream.writableNeedDrain) return
    if (!this.#socket.isPaused) {
      this.#socket.pause()
      stream.once('drain', () => this.#socket.resume())
    }
    // What has been read already goes on being parsed, and a few compressed bytes can become many.
    const bufferedBytes = stream.writableLength
    if (bufferedBytes > this.#context.limits.maxBufferedBytes) {
      traffic.slowDisconnects++
      this.#context.log('slow_consumer', { transport, remoteAddress, bufferedBytes })
      this.#socket.terminate()
    }
  }

  sign(): void {}

  failed(error: Error): void {
    const { transport, remoteAddress } = this.#carrier
    this.#context.log('websocket_protocol_error', { transport, remoteAddress, error: error.message })
  }

  closing(): void {}

  ended(): void {
    this.#context.traffic[this.#carrier.transport].connections--
    this.#onEnded(this)
  }
}
