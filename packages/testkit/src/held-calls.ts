interface Call {
  /** Lets the caller know what has come of it. */
  answer(): void
  refuse(error: Error): void
}

/**
 * Calls of a port that wait until a test lets them go: the answers of a store that is slow, that refuses, or that never comes back.
 *
 * @example
 * const held = new HeldCalls()
 * const engine = newEngine({ broker: held.of(new MemoryBroker(environment), 'history') })
 * held.holding = 'calls'
 */
export class HeldCalls {
  /** `calls` are carried out when they are released; with `answers` they are carried out at once, and only the answer waits. */
  holding: 'nothing' | 'calls' | 'answers' = 'nothing'
  readonly #calls: Call[] = []

  /** Calls that wait now. */
  get size(): number {
    return this.#calls.length
  }

  /** The port, with these of its methods held as {@link holding} says. */
  of<Port extends object>(port: Port, ...methods: readonly (keyof Port)[]): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        const call = (...parameters: unknown[]): unknown => Reflect.apply(value, target, parameters)
        if (!methods.some((method) => method === name)) return call
        return (...parameters: unknown[]) => {
          if (this.holding === 'nothing') return call(...parameters)
          if (this.holding === 'calls') return this.#hold(() => call(...parameters))
          const answer = call(...parameters)
          // A refusal is heard when it is released.
          if (answer instanceof Promise) answer.catch(() => {})
          return this.#hold(() => answer)
        }
      },
    })
  }

  /** Answers the oldest calls, in their order. */
  release(count = Number.POSITIVE_INFINITY): void {
    for (const call of this.#calls.splice(0, count)) call.answer()
  }

  /** Refuses the oldest calls; those that were held themselves have no effect. */
  refuse(error: Error, count = Number.POSITIVE_INFINITY): void {
    for (const call of this.#calls.splice(0, count)) call.refuse(error)
  }

  #hold(work: () => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#calls.push({
        answer: () => {
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
