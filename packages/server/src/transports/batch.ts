import type { Frame } from '@fusewire/engine'

/**
 * Frames on their way to a connection, as a chain in which equal beginnings are the same object: two connections that were sent
 * the same frames in the same order hold the same Batch, and so share its joined bytes.
 *
 * A fan-out appends the same frame to the same batch again and again, so remembering the last continuation is enough; a batch
 * that is continued in turns by different frames only shares less, never wrongly.
 */
export class Batch {
  readonly byteLength: number
  readonly #before: Batch | undefined
  readonly #frame: Frame
  #next: Batch | undefined
  #joined: Buffer | undefined

  private constructor(before: Batch | undefined, frame: Frame) {
    this.#before = before
    this.#frame = frame
    this.byteLength = (before?.byteLength ?? 0) + frame.byteLength
  }

  /** The beginning of all batches of a turn; holds no frames. */
  static start(): Batch {
    return new Batch(undefined, EMPTY)
  }

  append(frame: Frame): Batch {
    const next = this.#next
    if (next && next.#frame === frame) return next
    this.#next = new Batch(this, frame)
    return this.#next
  }

  /** Lets go of its last continuation, and so of the frames of a turn that is over. */
  letGo(): void {
    this.#next = undefined
  }

  /** All frames, joined once for everyone who holds this batch. */
  bytes(): Uint8Array {
    if (this.#joined) return this.#joined
    if (this.#frame.byteLength === this.byteLength) return this.#frame
    // A Buffer, because a stream wraps any other array anew for each connection that writes it.
    const joined = Buffer.allocUnsafeSlow(this.byteLength)
    let end = this.byteLength
    for (let batch: Batch | undefined = this; batch; batch = batch.#before) {
      end -= batch.#frame.byteLength
      joined.set(batch.#frame, end)
    }
    this.#joined = joined
    return joined
  }
}

const EMPTY = new Uint8Array(0)
