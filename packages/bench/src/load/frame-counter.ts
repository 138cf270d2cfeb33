import type { ByteCounter } from './byte-counter.ts'

/** What a {@link FrameCounter} does not count as a message. */
export interface OtherFrames {
  /** A ping, which has to be answered by a pong (RFC 6455 section 5.5.2). */
  readonly onPing?: () => void
  /** A text of one character: how Engine.IO asks whether the client is there. */
  readonly onHeartbeat?: () => void
}

/**
 * Counts WebSocket messages in whole frames (RFC 6455 section 5.2, unmasked as servers send them), without keeping or decoding any,
 * so that a thousand clients cost less than the server under test. Control frames, and texts of one character, are not counted.
 */
export class FrameCounter implements ByteCounter {
  readonly #others: OtherFrames
  readonly #header = Buffer.alloc(10)
  #headerLength = 0
  #toSkip = 0

  constructor(others: OtherFrames = {}) {
    this.#others = others
  }

  push(chunk: Buffer): number {
    let messages = 0
    let at = 0
    while (at < chunk.length) {
      if (this.#toSkip > 0) {
        const skipped = Math.min(this.#toSkip, chunk.length - at)
        this.#toSkip -= skipped
        at += skipped
        if (this.#toSkip === 0 && this.#isMessage()) messages++
        continue
      }
      this.#header[this.#headerLength++] = chunk[at++] as number
      const payload = this.#payloadLength()
      if (payload === undefined) continue
      this.#headerLength = 0
      this.#toSkip = payload
      if (payload === 0 && this.#isMessage()) messages++
    }
    return messages
  }

  /** Looks at the frame that has just ended. */
  #isMessage(): boolean {
    const first = this.#header[0] as number
    if ((first & 0x0f) >= 8) {
      if ((first & 0x0f) === 9) this.#others.onPing?.()
      return false
    }
    if (this.#header[1] !== 1) return true
    this.#others.onHeartbeat?.()
    return false
  }

  /** Undefined until the header is whole. */
  #payloadLength(): number | undefined {
    if (this.#headerLength < 2) return undefined
    const length = (this.#header[1] as number) & 0x7f
    if (length < 126) return length
    if (length === 126) return this.#headerLength < 4 ? undefined : this.#header.readUInt16BE(2)
    return this.#headerLength < 10 ? undefined : Number(this.#header.readBigUInt64BE(2))
  }
}
