interface Call {
  carryOut(): void
  refuse(error: Error): void
}

/**
 * Calls of a port that wait until a test lets them go: the answers of a store that is slow, that refuses, or that never comes back.
 *
 * @example
 * const held = new HeldCalls()
 * const engine = newEngine({ broker: held.of(new MemoryBroker(environment), 'history') })
 * held.isHolding = true
 */
export class HeldCalls {
  /** False lets new calls pass. */
  isHolding = false
  readonly #calls: Call[] = []

  /** Calls that wait now. */
  get size(): number {
    return this.#calls.length
  }

  /** The port, with these of its methods held while {@link isHolding}. */
  of<Port extends object>(port: Port, ...methods: readonly (keyof Port)[]): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        const call = (...parameters: unknown[]): unknown => Reflect.apply(value, target, parameters)
        if (!methods.some((method) => method === name)) return call
        return (...parameters: unknown[]) => (this.isHolding ? this.#hold(() => call(...parameters)) : call(...parameters))
      },
    })
  }

  /** Carries out the oldest calls, in their order, and lets their callers know. */
  release(count = Number.POSITIVE_INFINITY): void {
    for (const call of this.#calls.splice(0, count)) call.carryOut()
  }

  /** Refuses the oldest calls; they have no effect. */
  refuse(error: Error, count = Number.POSITIVE_INFINITY): void {
    for (const call of this.#calls.splice(0, count)) call.refuse(error)
  }

  #hold(work: () => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#calls.push({
        carryOut: () => {
          try {
            resolve(work())
          } catch (error) {
            reject(error)
          }
        },
        refuse: reject,
      })
    })
  }
}
