const FIRST_CAPACITY = 4096

/**
 * Numbers that are measured one by one, by the hundred thousand. They are kept outside of the JavaScript heap: the collector neither
 * copies them while they become more, nor stops a process that is measured because of them.
 */
export class Samples {
  #values = new Float64Array(FIRST_CAPACITY)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#values.length)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#length++] = value
  }

  /** Forgets all, and keeps the room. */
  clear(): void {
    this.#length = 0
  }

  /** A copy, the smallest first. */
  sorted(): Float64Array {
    return this.#values.slice(0, this.#length).sort()
  }
}
