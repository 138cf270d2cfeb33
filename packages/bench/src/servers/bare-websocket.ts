import { createHash } from 'node:crypto'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** What answers the handshake of a WebSocket (RFC 6455 section 4.2.2). */
export const acceptance = (key: string | undefined): string => {
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}

/** A text frame of a server. */
export const textFrame = (payload: Buffer): Buffer => {
  const header =
    payload.length < 126
      ? Buffer.from([0x81, payload.length])
      : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([header, payload])
}

/** Finds the payloads in what a client of the benchmark sends: short frames, masked with zeros. */
export class FrameReader {
  readonly #onPayload: (payload: Buffer) => void
  #pending: Buffer | undefined

  constructor(onPayload: (payload: Buffer) => void) {
    this.#onPayload = onPayload
  }

  push(chunk: Buffer): void {
    const bytes = this.#pending ? Buffer.concat([this.#pending, chunk]) : chunk
    let at = 0
    for (;;) {
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const start = at + (short < 126 ? 6 : 8)
      if (bytes.length < start) break
      const end = start + (short < 126 ? short : bytes.readUInt16BE(at + 2))
      if (bytes.length < end) break
      this.#onPayload(bytes.subarray(start, end))
      at = end
    }
    this.#pending = at < bytes.length ? bytes.subarray(at) : undefined
  }
}
