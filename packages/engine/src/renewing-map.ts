/** So many entries may come before a map is renewed, and half as many as there are where that is more. */
const MIN_ADDITIONS = 64

/**
 * A `Map` for entries that come and go for as long as the process lives, whose values are young when they leave.
 *
 * V8 keeps the entries of a `Map` or a `Set` in a table in the order in which they came (`OrderedHashTable`), and makes another one
 * whenever it is full, also where most of it has been deleted. A table that has been replaced points to its successor, for iterators that
 * are under way. Once one of them has survived two collections of the young generation, it keeps its successor alive, that one the next,
 * and each keeps whatever was in it when it was replaced: from then on all that was ever in the map outlives the young generation, is
 * copied and promoted, and stays until the next collection of the whole heap. So this one moves to a new map before its table is full,
 * and the chain ends. Where the members can keep their own place, {@link DenseSet} is faster.
 *
 * An iterator that is under way while entries are added may go on in the map as it was then, and give what has been deleted since.
 */
export class RenewingMap<K, V> {
  #map = new Map<K, V>()
  #additions = 0

  get size(): number {
    return this.#map.size
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  set(key: K, value: V): this {
    const map = this.#map
    const { size } = map
    map.set(key, value)
    if (map.size > size && ++this.#additions > Math.max(MIN_ADDITIONS, size / 2)) this.#renew()
    return this
  }

  delete(key: K): boolean {
    return this.#map.delete(key)
  }

  clear(): void {
    this.#map = new Map()
    this.#additions = 0
  }

  keys(): MapIterator<K> {
    return this.#map.keys()
  }

  values(): MapIterator<V> {
    return this.#map.values()
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#map[Symbol.iterator]()
  }

  #renew(): void {
    this.#map = new Map(this.#map)
    this.#additions = 0
  }
}
