import type { NodeBus, NodeBusListener } from '../ports/node-bus.ts'

/** Carries messages between nodes in the memory of one process. */
export class MemoryBus {
  readonly #listeners = new Map<string, NodeBusListener>()

  /** One node's end; its name comes with `start`. */
  node(): NodeBus {
    let name: string | undefined
    return {
      start: (node, listener) => {
        name = node
        this.#listeners.set(node, listener)
      },
      send: (payload, to) => {
        if (name === undefined) return
        if (to !== undefined) this.#hand(payload, to)
        else for (const other of this.#listeners.keys()) if (other !== name) this.#hand(payload, other)
      },
      close: () => {
        if (name !== undefined) this.#listeners.delete(name)
        name = undefined
      },
    }
  }

  /** Not before the sender has returned: what a listener says to it then comes after all that this call has sent. */
  async #hand(payload: Uint8Array, to: string): Promise<void> {
    const listener = this.#listeners.get(to)
    await undefined
    if (listener && this.#listeners.get(to) === listener) listener.message(payload)
  }
}
