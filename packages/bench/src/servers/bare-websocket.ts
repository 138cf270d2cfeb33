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

/** Where the payload of a client's frame begins and ends (RFC 6455 section 5.2); undefined until its header is whole. */
const payloadOf = (bytes: Buffer, at: number): { readonly start: number; readonly end: number } | undefined => {
  const short = (bytes[at + 1] ?? 0) & 0x7f
  const start = at + (short < 126 ? 6 : short === 126 ? 8 : 14)
  if (bytes.length < start) return undefined
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
  return { start, end: start + length }
}

/** Finds the payloads in what a client of the benchmark sends: whole messages, masked with zeros. */
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
      const payload = payloadOf(bytes, at)
      if (!payload || bytes.length < payload.end) break
      this.#onPayload(bytes.subarray(payload.start, payload.end))
      at = payload.end
    }
    this.#pending = at < bytes.length ? bytes.subarray(at) : undefined
  }
}
