import { type Awaitable, type Broker, type BrokerListener, Interests } from '@fusewire/engine'
import { BrokerInFront } from './broker-in-front.ts'

/** One broker for the nodes of a test: each gets a broker of its own, over the same publications. */
export class SharedBroker {
  readonly #broker: Broker
  readonly #interests: Interests<BrokerOfNode>
  #started: { readonly ready: Awaitable<void> } | undefined

  constructor(broker: Broker) {
    this.#broker = broker
    this.#interests = new Interests(broker)
  }

  /** The broker of one more node. Its `close` ends that node's part and leaves the publications to the others. */
  node(): Broker {
    return new BrokerOfNode(this, this.#broker)
  }

  /** @internal */
  start(): Awaitable<void> {
    this.#started ??= { ready: this.#broker.start(this.#listener) }
    return this.#started.ready
  }

  /** @internal */
  want(channel: string, node: BrokerOfNode): Awaitable<void> {
    return this.#interests.add(channel, node)
  }

  /** @internal */
  unwant(channel: string, node: BrokerOfNode): Awaitable<void> {
    return this.#interests.remove(channel, node)
  }

  readonly #listener: BrokerListener = {
    publication: (channel, publication, epoch) => {
      for (const { listener } of this.#interests.of(channel)) listener?.publication(channel, publication, epoch)
    },
    interrupted: (channel) => {
      for (const { listener } of this.#interests.of(channel)) listener?.interrupted(channel)
    },
    announcement: (message) => {
      for (const { listener } of this.#interests.of(message.channel)) listener?.announcement(message)
    },
  }
}

class BrokerOfNode extends BrokerInFront implements Broker {
  readonly #shared: SharedBroker
  protected readonly behind: Broker
  readonly #channels = new Set<string>()
  /** Who is to hear of what this node wants. */
  listener: BrokerListener | undefined

  constructor(shared: SharedBroker, broker: Broker) {
    super()
    this.#shared = shared
    this.behind = broker
  }

  start(listener: BrokerListener): Awaitable<void> {
    this.listener = listener
    return this.#shared.start()
  }

  subscribe(channel: string): Awaitable<void> {
    this.#channels.add(channel)
    return this.#shared.want(channel, this)
  }

  unsubscribe(channel: string): Awaitable<void> {
    this.#channels.delete(channel)
    return this.#shared.unwant(channel, this)
  }

  async close(): Promise<void> {
    this.listener = undefined
    await Promise.all([...this.#channels].map((channel) => this.unsubscribe(channel)))
  }
}
