/** Something that waits for a moment. */
export interface Due {
  /** In milliseconds; not changed while it is in a heap. */
  dueAt: number
}

/** A binary heap of what waits, the earliest first. It takes eight bytes for each; what is to wait no longer stays in it until its time. */
export class DueHeap<T extends Due> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  push(item: T): void {
    const items = this.#items
    let place = items.length
    while (place > 0) {
      const above = (place - 1) >> 1
      const other = items[above]
      if (!other || other.dueAt <= item.dueAt) break
      items[place] = other
      place = above
    }
    items[place] = item
  }

  /** The earliest, when its moment has come. */
  pop(now: number): T | undefined {
    const first = this.#items[0]
    if (!first || first.dueAt > now) return undefined
    const last = this.#items.pop()
    if (last && last !== first) this.#sink(last)
    return first
  }

  #sink(item: T): void {
    const items = this.#items
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      const [left, right] = [items[below], items[below + 1]]
      if (!left) break
      let other = left
      if (right && right.dueAt < left.dueAt) {
        other = right
        below++
      }
      if (other.dueAt >= item.dueAt) break
      items[place] = other
      place = below
    }
    items[place] = item
  }
}
