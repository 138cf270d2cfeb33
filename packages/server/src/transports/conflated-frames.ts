import type { Frame, Slot } from '@fusewire/engine'
import type { Batch } from './batch.ts'

/**
 * Frames that wait for a full sink, in their order, and of each slot the newest alone. A Map keeps the order in which its keys came,
 * so taking a slot out and putting it in again is all that conflation needs; frames without a slot have numbers for keys.
 */
export class ConflatedFrames {
  readonly #frames = new Map<Slot | number, Frame>()
  #numbered = 0
  #byteLength = 0

  get byteLength(): number {
    return this.#byteLength
  }

  /** True when an older frame made way. */
  push(frame: Frame, slot: Slot | undefined): boolean {
    const key = slot ?? this.#numbered++
    const older = this.#frames.get(key)
    if (older) this.#frames.delete(key)
    this.#frames.set(key, frame)
    this.#byteLength += frame.byteLength - (older?.byteLength ?? 0)
    return older !== undefined
  }

  appendTo(batch: Batch): Batch {
    let appended = batch
    for (const frame of this.#frames.values()) appended = appended.append(frame)
    return appended
  }
}
