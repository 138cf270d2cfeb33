/** Things by a key that several of them may share, and some may be without. */
export class KeyedSets<T> {
  readonly #sets = new Map<string, Set<T>>()

  add(key: string | undefined, item: T): void {
    if (key === undefined) return
    const set = this.#sets.get(key)
    if (set) set.add(item)
    else this.#sets.set(key, new Set([item]))
  }

  delete(key: string | undefined, item: T): void {
    if (key === undefined) return
    const set = this.#sets.get(key)
    if (set?.delete(item) && set.size === 0) this.#sets.delete(key)
  }

  /** In the order in which they were added; a copy, so that they may be deleted meanwhile. */
  get(key: string): readonly T[] {
    return [...(this.#sets.get(key) ?? [])]
  }

  /** The one that was added before all others. */
  firstOf(key: string): T | undefined {
    return this.#sets.get(key)?.values().next().value
  }

  countOf(key: string): number {
    return this.#sets.get(key)?.size ?? 0
  }
}
