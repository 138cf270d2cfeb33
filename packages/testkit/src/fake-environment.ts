import type { Environment } from '@fusewire/engine'

/** Time that moves when told to, identifiers that count, and chance that is the same in every run. */
export class FakeEnvironment implements Environment {
  #now: number
  #ids = 0
  #chance = 1

  constructor(now = 1_000_000) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  /** The linear congruential generator of Numerical Recipes. */
  random(): number {
    this.#chance = (Math.imul(this.#chance, 1_664_525) + 1_013_904_223) >>> 0
    return this.#chance / 2 ** 32
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
