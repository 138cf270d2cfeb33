import { MessageError } from './decode.ts'
import { decodeUtf8 } from './utf8.ts'

const LF = 0x0a
const CR = 0x0d
const NOTHING = new Uint8Array(0)
/** A buffer up to this size is kept for the next line; a larger one is given back, so that idle connections stay small. */
const KEPT_BYTES = 1024

const withoutCr = (line: string): string => (line.charCodeAt(line.length - 1) === CR ? line.slice(0, -1) : line)

/**
 * Turns bytes in chunks of any size into lines. Lines end with LF or CRLF; empty lines are lines. Every chunking of the same bytes
 * gives the same lines and refusals in the same order.
 *
 * A line that is not strict UTF-8 (`malformed_message`) or longer than the limit (`message_too_large`, refused as soon as it passes
 * the limit, not at its end) is skipped, and reading goes on with the next line.
 */
export class LineDecoder {
  readonly #maxLineBytes: number
  #buffer: Uint8Array = NOTHING
  /** Bytes of the unfinished line in the buffer. */
  #held = 0
  /** The unfinished line was refused; the rest of it is dropped. */
  #skipping = false

  /** `maxLineBytes` counts a line without its LF. */
  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes
  }

  /**
   * Takes the next bytes and gives the lines that they complete; for a caller that ends the stream at the first bad line.
   * To keep the good lines around a bad one, use {@link LineDecoder.read}.
   * @throws {@link MessageError} when a line of the chunk is refused; the chunk's other lines are lost, the next chunk can be read.
   */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = []
    let refused: MessageError | undefined
    this.read(
      chunk,
      (line) => lines.push(line),
      (error) => {
        refused ??= error
      },
    )
    if (refused) throw refused
    return lines
  }

  /** Takes the next bytes; hands each completed line to `accept` and each bad line, once, to `refuse`, in the order of the stream. */
  read(chunk: Uint8Array, accept: (line: string) => void, refuse: (error: MessageError) => void): void {
    const first = chunk.indexOf(LF)
    if (first < 0) {
      this.#hold(chunk, refuse)
      return
    }
    let start = 0
    if (this.#skipping || this.#held > 0) {
      this.#hold(chunk.subarray(0, first), refuse)
      const skipped = this.#skipping
      const line = this.#take()
      if (!skipped) this.#readLine(line, accept, refuse)
      start = first + 1
    }
    const last = chunk.lastIndexOf(LF)
    if (start <= last) this.#readLines(chunk.subarray(start, last), accept, refuse)
    if (last + 1 < chunk.length) this.#hold(chunk.subarray(last + 1), refuse)
  }

  /**
   * The stream has ended: gives the last line when it had no LF.
   * @throws {@link MessageError} when that line is not UTF-8.
   */
  end(): string | undefined {
    const line = this.#take()
    return line.length > 0 ? withoutCr(decodeUtf8(line)) : undefined
  }

  /** Reads whole lines, given without the last LF. One call of the text decoder for all of them is what makes small lines cheap. */
  #readLines(bytes: Uint8Array, accept: (line: string) => void, refuse: (error: MessageError) => void): void {
    let text: string | undefined
    if (bytes.length <= this.#maxLineBytes) {
      try {
        text = decodeUtf8(bytes)
      } catch {
        // One of the lines is bad: find out which.
      }
    }
    if (text !== undefined) {
      for (const line of text.split('\n')) accept(withoutCr(line))
      return
    }
    for (let start = 0; start <= bytes.length; ) {
      const lf = bytes.indexOf(LF, start)
      const end = lf < 0 ? bytes.length : lf
      this.#readLine(bytes.subarray(start, end), accept, refuse)
      start = end + 1
    }
  }

  #readLine(bytes: Uint8Array, accept: (line: string) => void, refuse: (error: MessageError) => void): void {
    let line: string
    try {
      if (bytes.length > this.#maxLineBytes) throw this.#tooLarge()
      line = withoutCr(decodeUtf8(bytes))
    } catch (error) {
      refuse(error as MessageError)
      return
    }
    accept(line)
  }

  /** Keeps a piece of the unfinished line. The buffer doubles, so that a line which comes byte by byte costs linear time. */
  #hold(piece: Uint8Array, refuse: (error: MessageError) => void): void {
    if (this.#skipping) return
    const size = this.#held + piece.length
    if (size > this.#maxLineBytes) {
      this.#take()
      this.#skipping = true
      refuse(this.#tooLarge())
      return
    }
    if (size > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#maxLineBytes, Math.max(size, this.#buffer.length * 2, 64)))
      larger.set(this.#buffer.subarray(0, this.#held))
      this.#buffer = larger
    }
    this.#buffer.set(piece, this.#held)
    this.#held = size
  }

  /** Ends the unfinished line and gives its bytes, valid until the next piece is held. */
  #take(): Uint8Array {
    const line = this.#buffer.subarray(0, this.#held)
    this.#held = 0
    this.#skipping = false
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = NOTHING
    return line
  }

  #tooLarge(): MessageError {
    return new MessageError('message_too_large', `a line is longer than ${this.#maxLineBytes} bytes`)
  }
}
