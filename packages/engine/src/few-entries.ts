/**
 * A map of which nearly all have one entry at most, and that one needs no table: a `Map` takes 180 bytes before anything is in it, which
 * was a fifth of a session that waits.
 */
export class FewEntries<V extends object> {
  #firstKey = ''
  /** Absent where the first has left, or none has come. */
  #first: V | undefined
  /** All others, in the order in which they came; absent where there are none. */
  #others: Map<string, V> | undefined

  get size(): number {
    return (this.#first ? 1 : 0) + (this.#others?.size ?? 0)
  }

  get(key: string): V | undefined {
    return this.#first && key === this.#firstKey ? this.#first : this.#others?.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: V): void {
    if (this.#first ? key === this.#firstKey : !this.#others) {
      this.#firstKey = key
      this.#first = value
      return
    }
    this.#others ??= new Map()
    this.#others.set(key, value)
  }

  /** False when it was not here. */
  delete(key: string): boolean {
    if (this.#first && key === this.#firstKey) {
      this.#first = undefined
      return true
    }
    const isDeleted = this.#others?.delete(key) ?? false
    if (this.#others?.size === 0) this.#others = undefined
    return isDeleted
  }

  /** In the order in which they came; a copy, so that they may be deleted meanwhile. */
  keys(): readonly string[] {
    return [...(this.#first ? [this.#firstKey] : []), ...(this.#others?.keys() ?? [])]
  }

  /** Likewise. */
  values(): readonly V[] {
    return [...(this.#first ? [this.#first] : []), ...(this.#others?.values() ?? [])]
  }
}
