import type { ByteCounter } from './byte-counter.ts'

const LF = 10

/** Counts the events of a `text/event-stream` (WHATWG HTML section 9.2): lines of an event end with LF, and an empty one ends it. */
export class EventCounter implements ByteCounter {
  #isAtLineStart = true
  #hasData = false

  push(chunk: Buffer): number {
    let events = 0
    let at = 0
    while (at < chunk.length) {
      if (this.#isAtLineStart) {
        const byte = chunk[at] as number
        if (byte === LF) {
          if (this.#hasData) events++
          this.#hasData = false
          at++
          continue
        }
        // Of the fields of an event only `data` begins with a d; a comment begins with a colon.
        if (byte === 0x64) this.#hasData = true
        this.#isAtLineStart = false
      }
      const end = chunk.indexOf(LF, at)
      if (end === -1) return events
      at = end + 1
      this.#isAtLineStart = true
    }
    return events
  }
}
