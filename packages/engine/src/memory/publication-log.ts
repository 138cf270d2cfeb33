import type { Publication } from '@fusewire/protocol'

/** The newest publications of one channel in the order of their offsets, which have no gap. */
export class PublicationLog {
  #items: Publication[] = []
  /** What each of them takes, in its place. */
  #sizes: number[] = []
  #bytes = 0
  /** Items before this index have been dropped; the array is cut when they are the larger half. */
  #first = 0

  get size(): number {
    return this.#items.length - this.#first
  }

  get oldest(): Publication | undefined {
    return this.#items[this.#first]
  }

  /** What those that are kept take together. */
  get bytes(): number {
    return this.#bytes
  }

  append(publication: Publication, bytes: number): void {
    this.#items.push(publication)
    this.#sizes.push(bytes)
    this.#bytes += bytes
  }

  /** Drops the oldest until at most `size` are left, which take at most `bytes` together, and none was made before `time`. */
  trim(size: number, bytes: number, time: number): void {
    for (let oldest = this.oldest; oldest; oldest = this.oldest) {
      if (this.size <= size && this.#bytes <= bytes && oldest.time >= time) break
      this.#bytes -= this.#sizes[this.#first++] ?? 0
    }
    if (this.#first > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#first)
      this.#sizes = this.#sizes.slice(this.#first)
      this.#first = 0
    }
  }

  clear(): void {
    this.#items = []
    this.#sizes = []
    this.#bytes = 0
    this.#first = 0
  }

  /** All of them as they are now, and what each takes. */
  copy(): { readonly publications: readonly Publication[]; readonly sizes: readonly number[] } {
    return { publications: this.#items.slice(this.#first), sizes: this.#sizes.slice(this.#first) }
  }

  /** Those with an offset greater than `offset`, oldest first. */
  after(offset: number): Publication[] {
    const oldest = this.oldest
    if (!oldest) return []
    return this.#items.slice(this.#first + Math.max(0, offset + 1 - oldest.offset))
  }
}
