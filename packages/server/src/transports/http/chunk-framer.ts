const CR = 0x0d
const LF = 0x0a

/**
 * Frames bytes as a chunk of an HTTP/1.1 body (RFC 9112 section 7.1). A fan-out hands the same bytes to one response after another,
 * so remembering the last ones is enough to frame them once; a single ready-made write costs about 60% of what `response.write` does
 * with its three pieces.
 */
export class ChunkFramer {
  #bytes: Uint8Array | undefined
  #chunk: Uint8Array = new Uint8Array(0)

  frame(bytes: Uint8Array): Uint8Array {
    if (bytes === this.#bytes) return this.#chunk
    const size = bytes.byteLength.toString(16)
    const chunk = Buffer.allocUnsafe(size.length + 2 + bytes.byteLength + 2)
    let at = chunk.write(size, 'latin1')
    chunk[at++] = CR
    chunk[at++] = LF
    chunk.set(bytes, at)
    at += bytes.byteLength
    chunk[at++] = CR
    chunk[at] = LF
    this.#bytes = bytes
    this.#chunk = chunk
    return chunk
  }
}
