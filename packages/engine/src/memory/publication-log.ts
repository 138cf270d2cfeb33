import type { Publication } from '@fusewire/protocol'

/** The newest publications of one channel in the order of their offsets, which have no gap. */
export class PublicationLog {
  #items: Publication[] = []
  /** Items before this index have been dropped; the array is cut when they are the larger half. */
  #first = 0

  get size(): number {
    return this.#items.length - this.#first
  }

  get oldest(): Publication | undefined {
    return this.#items[this.#first]
  }

  append(publication: Publication): void {
    this.#items.push(publication)
  }

  /** Drops the oldest until at most `size` are left and none was made before `time`. */
  trim(size: number, time: number): void {
    while (this.size > size) this.#first++
    for (let oldest = this.oldest; oldest && oldest.time < time; oldest = this.oldest) this.#first++
    if (this.#first > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
  }

  clear(): void {
    this.#items = []
    this.#first = 0
  }

  /** Those with an offset greater than `offset`, oldest first. */
  after(offset: number): Publication[] {
    const oldest = this.oldest
    if (!oldest) return []
    return this.#items.slice(this.#first + Math.max(0, offset + 1 - oldest.offset))
  }
}
