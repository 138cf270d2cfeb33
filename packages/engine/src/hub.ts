import type { Publication } from '@fusewire/protocol'
import { slotOf } from './conflation.ts'
import { HubChannel } from './hub-channel.ts'
import type { Awaitable, Broker, BrokerListener } from './ports/broker.ts'
import type { RuleBook } from './rule-book.ts'
import type { Session } from './session.ts'
import type { Counters } from './stats.ts'
import { Subscription } from './subscription.ts'

interface Entry {
  readonly channel: HubChannel
  /** Settles when the broker delivers the channel's publications to this node. */
  readonly ready: Awaitable<void>
}

/** The channels that have subscribers on this node, and the way of a publication to them. */
export class Hub implements BrokerListener {
  readonly #entries = new Map<string, Entry>()
  readonly #broker: Broker
  readonly #rules: RuleBook
  readonly #counters: Counters
  #subscriptions = 0

  constructor(broker: Broker, rules: RuleBook, counters: Counters) {
    this.#broker = broker
    this.#rules = rules
    this.#counters = counters
  }

  get channelCount(): number {
    return this.#entries.size
  }

  get subscriptionCount(): number {
    return this.#subscriptions
  }

  /** Every channel with subscribers, in no order. */
  *channels(): IterableIterator<HubChannel> {
    for (const { channel } of this.#entries.values()) yield channel
  }

  /** Adds a subscription, paused. The first one of a channel makes it of interest to the broker. */
  enter(session: Session, name: string): Subscription {
    let entry = this.#entries.get(name)
    if (!entry) {
      entry = { channel: new HubChannel(name), ready: this.#broker.subscribe(name) }
      this.#entries.set(name, entry)
    }
    const subscription = new Subscription(session, entry.channel)
    entry.channel.add(subscription)
    this.#subscriptions++
    return subscription
  }

  /** Settles when the channel's publications reach this node; rejects when the broker is away. */
  ready(subscription: Subscription): Awaitable<void> {
    return this.#entries.get(subscription.channel.name)?.ready
  }

  /** Removes a subscription; the last one of a channel ends the broker's interest. */
  leave(subscription: Subscription): void {
    const { channel } = subscription
    if (!channel.remove(subscription)) return
    this.#subscriptions--
    if (channel.size > 0) return
    this.#entries.delete(channel.name)
    this.#loseInterest(channel.name)
  }

  /** Nobody waits for this, and it never rejects: a broker that is away has forgotten its subscribers anyway. */
  async #loseInterest(name: string): Promise<void> {
    try {
      await this.#broker.unsubscribe(name)
    } catch {}
  }

  /** Nobody knows what is missing: every connection recovers from where it is by coming back. */
  interrupted(name: string): void {
    for (const { session } of this.#entries.get(name)?.channel.subscriptions() ?? []) session.link?.end('internal_error')
  }

  publication(name: string, publication: Publication): void {
    this.#counters.publications++
    const entry = this.#entries.get(name)
    if (entry) this.#counters.deliveries += entry.channel.deliver(publication, slotOf(name, publication, this.#rules.of(name)))
  }
}
