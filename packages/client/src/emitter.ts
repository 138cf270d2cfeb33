/** Typed listeners. */
export class Emitter<Events extends object> {
  /** Each in an object of its own, so that the same function given twice is two listeners. */
  readonly #listeners = new Set<{ readonly type: keyof Events; readonly call: (event: never) => void }>()

  on<Type extends keyof Events>(type: Type, call: (event: Events[Type]) => void): () => void {
    const listener = { type, call }
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** True when anyone listens, to `type` or at all. */
  has(type?: keyof Events): boolean {
    return [...this.#listeners].some((listener) => !type || listener.type === type)
  }

  /** A listener that throws does not keep the others from hearing; the platform is told, as of any error that nobody catches. */
  emit<Type extends keyof Events>(type: Type, event: Events[Type]): void {
    for (const listener of [...this.#listeners]) {
      if (listener.type !== type) continue
      try {
        listener.call(event as never)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
