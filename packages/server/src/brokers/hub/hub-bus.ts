import type { NodeBus, NodeBusListener } from '@fusewire/engine'
import type { HubCalls } from './hub-calls.ts'

/** A worker's way to the other workers of its server. */
export class HubBus implements NodeBus {
  readonly #calls: HubCalls
  #isOpen = false

  constructor(calls: HubCalls) {
    this.#calls = calls
  }

  start(node: string, listener: NodeBusListener): Promise<void> {
    this.#isOpen = true
    this.#calls.on('bus', (payload) => {
      if (this.#isOpen) listener.message(payload)
    })
    return this.#calls.ask('bus.start', node)
  }

  send(payload: Uint8Array, to?: string): Promise<void> {
    return this.#calls.ask('bus.send', payload, to ?? null)
  }

  /** The hub forgets it with its line. */
  close(): void {
    this.#isOpen = false
  }
}
