/** What waits behind something that must be finished first. While nothing blocks, it is empty. */
export class Backlog<Item> {
  /** Undefined while nothing blocks. */
  #waiting: Item[] | undefined

  get isBlocked(): boolean {
    return this.#waiting !== undefined
  }

  get size(): number {
    return this.#waiting?.length ?? 0
  }

  /** What comes from now on has to wait. To be called while nothing blocks. */
  block(): void {
    this.#waiting = []
  }

  /** Takes an item that comes while something blocks. */
  push(item: Item): void {
    this.#waiting?.push(item)
  }

  /** Gives what has waited, in its order. When one of the items blocks again, the rest stays, in front of what comes later. */
  *unblock(): Generator<Item, void, undefined> {
    const items = this.#waiting ?? []
    this.#waiting = undefined
    for (const [index, item] of items.entries()) {
      yield item
      if (this.isBlocked) return this.#putInFront(items.slice(index + 1))
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#waiting = undefined
  }

  #putInFront(items: readonly Item[]): void {
    this.#waiting?.unshift(...items)
  }
}
