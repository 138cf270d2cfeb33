import type { Awaitable, Broker, BrokerListener } from '@fusewire/engine'
import { BrokerInFront } from './broker-in-front.ts'

/** A broker whose line to its node can break, and which can lose everything: what a broker far away does to those who use it. */
export class InterruptibleBroker extends BrokerInFront implements Broker {
  readonly #make: () => Broker
  protected behind: Broker
  #listener: BrokerListener | undefined
  #isCut = false
  readonly #wanted = new Set<string>()

  /** `make` gives the broker behind it, a new one after each loss. */
  constructor(make: () => Broker) {
    super()
    this.#make = make
    this.behind = make()
  }

  /** From now on nothing that is published is heard, though everything can be read. */
  cut(): void {
    this.#isCut = true
  }

  /** Everything is heard again; `silently`: the node is not told that something may be missing. */
  mend({ silently = false } = {}): void {
    if (!this.#isCut) return
    this.#isCut = false
    if (!silently) for (const channel of this.#wanted) this.#listener?.interrupted(channel)
  }

  /** Histories, documents and epochs are gone, as after a restart without stored history. */
  async lose(): Promise<void> {
    this.behind = this.#make()
    await this.#begin()
    for (const channel of this.#wanted) await this.behind.subscribe(channel)
    for (const channel of this.#wanted) this.#listener?.interrupted(channel)
  }

  async start(listener: BrokerListener): Promise<void> {
    this.#listener = listener
    await this.#begin()
  }

  subscribe(channel: string): Awaitable<void> {
    this.#wanted.add(channel)
    return this.behind.subscribe(channel)
  }

  unsubscribe(channel: string): Awaitable<void> {
    this.#wanted.delete(channel)
    return this.behind.unsubscribe(channel)
  }

  close(): Awaitable<void> {
    return this.behind.close()
  }

  #begin(): Awaitable<void> {
    return this.behind.start({
      publication: (channel, publication, epoch) => {
        if (!this.#isCut) this.#listener?.publication(channel, publication, epoch)
      },
      interrupted: (channel) => {
        if (!this.#isCut) this.#listener?.interrupted(channel)
      },
      announcement: (message) => {
        this.#listener?.announcement(message)
      },
    })
  }
}
