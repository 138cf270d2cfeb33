/**
 * Values that wait, each under a number which is another's once it has been taken. Unlike in a long-lived `Map`, nothing that has been
 * here is kept alive by V8 until its next major collection, and the load does not stop to collect it.
 */
export class Places<T> {
  readonly #values: (T | undefined)[] = []
  readonly #free: number[] = []

  /** Gives its number: the smallest ones there are, from 0. */
  add(value: T): number {
    const place = this.#free.pop() ?? this.#values.length
    this.#values[place] = value
    return place
  }

  /** Undefined where there is none. */
  take(place: number): T | undefined {
    const value = this.#values[place]
    if (value === undefined) return undefined
    this.#values[place] = undefined
    this.#free.push(place)
    return value
  }

  /** Takes all. */
  takeAll(): T[] {
    return this.#values.flatMap((_, place) => this.take(place) ?? [])
  }
}
