import type { Awaitable, Broker, BrokerListener } from '@fusewire/engine'
import { BrokerInFront } from './broker-in-front.ts'

/** How many nodes want a channel, and when its publications come. */
interface Interest {
  nodes: number
  readonly ready: Awaitable<void>
}

/** One broker for the nodes of a test: each gets a broker of its own, over the same publications. */
export class SharedBroker {
  readonly #broker: Broker
  readonly #nodes = new Set<BrokerOfNode>()
  readonly #interests = new Map<string, Interest>()
  #started: { readonly ready: Awaitable<void> } | undefined

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** The broker of one more node. Its `close` ends that node's part and leaves the publications to the others. */
  node(): Broker {
    return new BrokerOfNode(this, this.#broker)
  }

  /** @internal */
  join(node: BrokerOfNode): Awaitable<void> {
    this.#nodes.add(node)
    this.#started ??= { ready: this.#broker.start(this.#listener) }
    return this.#started.ready
  }

  /** @internal */
  leave(node: BrokerOfNode): void {
    this.#nodes.delete(node)
  }

  /** @internal */
  want(channel: string): Awaitable<void> {
    let interest = this.#interests.get(channel)
    if (!interest) {
      interest = { nodes: 0, ready: this.#broker.subscribe(channel) }
      this.#interests.set(channel, interest)
    }
    interest.nodes++
    return interest.ready
  }

  /** @internal */
  unwant(channel: string): Awaitable<void> {
    const interest = this.#interests.get(channel)
    if (!interest || --interest.nodes > 0) return
    this.#interests.delete(channel)
    return this.#broker.unsubscribe(channel)
  }

  readonly #listener: BrokerListener = {
    publication: (channel, publication, epoch) => {
      for (const node of this.#nodes) node.listenerOf(channel)?.publication(channel, publication, epoch)
    },
    interrupted: (channel) => {
      for (const node of this.#nodes) node.listenerOf(channel)?.interrupted(channel)
    },
    announcement: (message) => {
      for (const node of this.#nodes) node.listenerOf(message.channel)?.announcement(message)
    },
  }
}

class BrokerOfNode extends BrokerInFront implements Broker {
  readonly #shared: SharedBroker
  protected readonly behind: Broker
  readonly #channels = new Set<string>()
  #listener: BrokerListener | undefined

  constructor(shared: SharedBroker, broker: Broker) {
    super()
    this.#shared = shared
    this.behind = broker
  }

  /** Who is to hear of this channel. */
  listenerOf(channel: string): BrokerListener | undefined {
    return this.#channels.has(channel) ? this.#listener : undefined
  }

  start(listener: BrokerListener): Awaitable<void> {
    this.#listener = listener
    return this.#shared.join(this)
  }

  subscribe(channel: string): Awaitable<void> {
    if (this.#channels.has(channel)) return
    this.#channels.add(channel)
    return this.#shared.want(channel)
  }

  unsubscribe(channel: string): Awaitable<void> {
    if (this.#channels.delete(channel)) return this.#shared.unwant(channel)
  }

  async close(): Promise<void> {
    this.#shared.leave(this)
    await Promise.all([...this.#channels].map((channel) => this.unsubscribe(channel)))
  }
}
