import type { ByteCounter } from './byte-counter.ts'

const LF = 10
const BRACE = 0x7d

/**
 * Counts messages of JSON that end a line, as in NDJSON and in the data of Server-Sent Events. The lines around them, those of the chunked
 * coding among them (RFC 9112 section 7.1), end otherwise.
 */
export class LineCounter implements ByteCounter {
  #last = 0

  push(chunk: Buffer): number {
    let messages = 0
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1))
      if ((at === 0 ? this.#last : chunk[at - 1]) === BRACE) messages++
    this.#last = chunk.at(-1) ?? this.#last
    return messages
  }
}
