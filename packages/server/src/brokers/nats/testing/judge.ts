import type { BrokerListener } from '@fusewire/engine'
import type { Publication } from '@fusewire/protocol'

/** Judges what a node is told of a channel: in order, each once, and nothing left out without a word. */
export class Judge implements BrokerListener {
  readonly faults: string[] = []
  /** What it was told, by offset. */
  readonly told = new Map<number, unknown>()
  #last = 0
  #mayMiss = true

  publication(_: string, { offset, data }: Publication): void {
    if (offset <= this.#last) this.faults.push(`${offset} after ${this.#last}`)
    else if (offset !== this.#last + 1 && !this.#mayMiss) this.faults.push(`nothing between ${this.#last} and ${offset}`)
    this.#last = Math.max(this.#last, offset)
    this.#mayMiss = false
    this.told.set(offset, data)
  }
  interrupted(): void {
    this.#mayMiss = true
  }
  announcement(): void {}
}
