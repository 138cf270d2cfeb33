import type { Environment } from '@fusewire/engine'

/** Time that moves when told to, and identifiers that count. */
export class FakeEnvironment implements Environment {
  #now: number
  #ids = 0

  constructor(now = 1_000_000) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  id(): string {
    return `id${++this.#ids}`
  }

  secret(): string {
    return `secret${++this.#ids}`
  }

  advance(ms: number): void {
    this.#now += ms
  }
}
