import { RenewingMap } from './renewing-map.ts'

/** Work in lanes: of one lane each begins when the one before is done, whatever has become of it. An empty lane takes no memory. */
export class Lanes {
  /** The last work of each lane, settled without a value. */
  readonly #ends = new RenewingMap<string, Promise<void>>()

  get size(): number {
    return this.#ends.size
  }

  run<T>(lane: string, work: () => Promise<T>): Promise<T> {
    const before = this.#ends.get(lane)
    const result = before ? before.then(work) : work()
    const end: Promise<void> = result.then(
      () => this.#leave(lane, end),
      () => this.#leave(lane, end),
    )
    this.#ends.set(lane, end)
    return result
  }

  /** Begins when what is under way in all of these lanes is done, and is before everything that comes in any of them. */
  async runInAll<T>(lanes: readonly string[], work: () => Promise<T>): Promise<T> {
    let leave: () => void = () => undefined
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    const enter = (lane: string): Promise<void> =>
      new Promise((entered) => {
        void this.run(lane, () => {
          entered()
          return left
        })
      })
    await Promise.all([...new Set(lanes)].map(enter))
    try {
      return await work()
    } finally {
      leave()
    }
  }

  #leave(lane: string, end: Promise<void>): void {
    if (this.#ends.get(lane) === end) this.#ends.delete(lane)
  }
}
