import type { Duplex } from 'node:stream'
import { closePayload, decodeFrame, encodeFrame, OPCODE } from './websocket-frame.ts'

/** How a WebSocket was closed by its server: 1005 when the close frame had no code. */
export interface Closed {
  readonly code: number
  readonly reason: string
}

/** A WebSocket client without a library, which can do what a library would keep it from. */
export class RawWebSocket {
  /** The socket or the HTTP/2 stream, after the handshake. */
  readonly stream: Duplex
  readonly messages: (string | Buffer)[] = []
  readonly pings: Buffer[] = []
  readonly pongs: Buffer[] = []
  /** The server's close frame. */
  closed: Closed | undefined
  /** True when the server has ended the stream, or cut it. */
  ended = false
  #bytes: Buffer
  #fragments: Buffer[] = []
  #fragmented: number = OPCODE.text

  constructor(stream: Duplex, head: Buffer) {
    this.stream = stream
    this.#bytes = head
    const end = (): void => {
      this.ended = true
    }
    stream.on('data', (chunk: Buffer) => this.#read(chunk)).on('error', () => {})
    stream.on('end', end).on('close', end).resume()
    this.#read(Buffer.alloc(0))
  }

  /** Sends a message in one frame: text for a string, otherwise binary. */
  send(message: string | Uint8Array): void {
    const opcode = typeof message === 'string' ? OPCODE.text : OPCODE.binary
    this.stream.write(encodeFrame({ opcode, payload: Buffer.from(message as string) }))
  }

  /** Sends bytes as a text message, whatever they are. */
  sendText(payload: Buffer): void {
    this.stream.write(encodeFrame({ opcode: OPCODE.text, payload }))
  }

  close(code = 1000): void {
    this.stream.write(encodeFrame({ opcode: OPCODE.close, payload: closePayload(code) }))
  }

  /** Breaks off without a word. */
  destroy(): void {
    this.stream.destroy()
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (let found = decodeFrame(this.#bytes); found; found = decodeFrame(this.#bytes)) {
      this.#bytes = this.#bytes.subarray(found.byteLength)
      this.#take(found.frame)
    }
  }

  #take({ opcode, payload, fin, rsv }: Required<NonNullable<ReturnType<typeof decodeFrame>>['frame']>): void {
    if (rsv !== 0) throw new Error('no extension was agreed on')
    if (opcode === OPCODE.close) {
      const code = payload.length < 2 ? 1005 : payload.readUInt16BE()
      this.closed = { code, reason: payload.subarray(2).toString() }
      this.stream.end(encodeFrame({ opcode, payload: Buffer.from(payload.subarray(0, 2)) }))
    } else if (opcode === OPCODE.ping) {
      this.pings.push(payload)
      this.stream.write(encodeFrame({ opcode: OPCODE.pong, payload }))
    } else if (opcode === OPCODE.pong) this.pongs.push(payload)
    else this.#data(opcode, payload, fin)
  }

  #data(opcode: number, payload: Buffer, fin: boolean): void {
    if (opcode !== OPCODE.continuation) this.#fragmented = opcode
    this.#fragments.push(payload)
    if (!fin) return
    const message = Buffer.concat(this.#fragments.splice(0))
    this.messages.push(this.#fragmented === OPCODE.text ? message.toString() : message)
  }
}
