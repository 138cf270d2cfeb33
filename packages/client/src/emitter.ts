/** Typed listeners. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<{ readonly call: (event: never) => void }>>()

  on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): () => void {
    // Wrapped, so that the same function given twice is two listeners, each with its own disposer.
    const entry = { call: listener }
    const entries = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, entries.add(entry))
    return () => {
      if (entries.delete(entry) && entries.size === 0) this.#listeners.delete(type)
    }
  }

  /** True when anyone listens, to `type` or at all. */
  has(type?: keyof Events): boolean {
    return type ? this.#listeners.has(type) : this.#listeners.size > 0
  }

  /** A listener that throws does not keep the others from hearing; the platform is told, as of any error that nobody catches. */
  emit<Type extends keyof Events>(type: Type, event: Events[Type]): void {
    for (const { call } of [...(this.#listeners.get(type) ?? [])]) {
      try {
        call(event as never)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
