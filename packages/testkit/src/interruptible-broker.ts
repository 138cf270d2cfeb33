import type {
  Awaitable,
  Broker,
  BrokerListener,
  ChannelState,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishOptions,
} from '@fusewire/engine'

/** A broker whose line to its node can break, and which can lose everything: what a broker far away does to those who use it. */
export class InterruptibleBroker implements Broker {
  readonly #make: () => Broker
  #inner: Broker
  #listener: BrokerListener | undefined
  #isCut = false
  readonly #wanted = new Set<string>()

  /** `make` gives the broker behind it, a new one after each loss. */
  constructor(make: () => Broker) {
    this.#make = make
    this.#inner = make()
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
    this.#inner = this.#make()
    await this.#begin()
    for (const channel of this.#wanted) await this.#inner.subscribe(channel)
    for (const channel of this.#wanted) this.#listener?.interrupted(channel)
  }

  async start(listener: BrokerListener): Promise<void> {
    this.#listener = listener
    await this.#begin()
  }

  publish(channel: string, draft: PublicationDraft, options: PublishOptions): Awaitable<Published> {
    return this.#inner.publish(channel, draft, options)
  }

  subscribe(channel: string): Awaitable<void> {
    this.#wanted.add(channel)
    return this.#inner.subscribe(channel)
  }

  unsubscribe(channel: string): Awaitable<void> {
    this.#wanted.delete(channel)
    return this.#inner.unsubscribe(channel)
  }

  history(channel: string, query: HistoryQuery): Awaitable<HistoryPage> {
    return this.#inner.history(channel, query)
  }

  state(channel: string): Awaitable<ChannelState> {
    return this.#inner.state(channel)
  }

  clearHistory(channel: string): Awaitable<void> {
    return this.#inner.clearHistory(channel)
  }

  removeDocument(channel: string): Awaitable<boolean> {
    return this.#inner.removeDocument(channel)
  }

  close(): Awaitable<void> {
    return this.#inner.close()
  }

  #begin(): Awaitable<void> {
    return this.#inner.start({
      publication: (channel, publication, epoch) => {
        if (!this.#isCut) this.#listener?.publication(channel, publication, epoch)
      },
      interrupted: (channel) => {
        if (!this.#isCut) this.#listener?.interrupted(channel)
      },
    })
  }
}
