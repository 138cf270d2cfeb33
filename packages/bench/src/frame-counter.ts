/**
 * Counts WebSocket frames (RFC 6455 section 5.2, unmasked as servers send them) in a byte stream, without keeping or decoding any,
 * so that a thousand clients cost less than the server under test.
 */
export class FrameCounter {
  frames = 0
  #header = Buffer.alloc(10)
  #headerLength = 0
  #toSkip = 0

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#toSkip > 0) {
        const skipped = Math.min(this.#toSkip, chunk.length - at)
        this.#toSkip -= skipped
        at += skipped
        if (this.#toSkip === 0) this.frames++
        continue
      }
      this.#header[this.#headerLength++] = chunk[at++] as number
      const payload = this.#payloadLength()
      if (payload === undefined) continue
      this.#headerLength = 0
      this.#toSkip = payload
      if (payload === 0) this.frames++
    }
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
