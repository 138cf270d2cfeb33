import type { Position, Publication } from '@fusewire/protocol'
import { CatchUp, type CatchUpPorts } from './catch-up.ts'
import { slotOf } from './conflation.ts'
import { HubChannel } from './hub-channel.ts'
import type { Announcement, Awaitable, BrokerListener } from './ports/broker.ts'
import type { Connection } from './ports/connection.ts'
import type { Session } from './session.ts'
import { Subscription } from './subscription.ts'

interface Entry {
  readonly channel: HubChannel
  readonly catchUp: CatchUp
  /** Settles when the broker delivers the channel's publications to this node. */
  ready: Awaitable<void>
  /** The broker could not be asked for them: whoever comes next asks again. */
  isUnwanted: boolean
}

/** The channels that have subscribers on this node, and the way of a publication to them. */
export class Hub implements BrokerListener {
  readonly #entries = new Map<string, Entry>()
  readonly #ports: CatchUpPorts
  #subscriptions = 0

  constructor(ports: CatchUpPorts) {
    this.#ports = ports
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
      const channel = new HubChannel(name, () => this.interrupted(name))
      entry = { channel, catchUp: new CatchUp(channel, this.#ports), ready: undefined, isUnwanted: true }
      this.#want(entry)
      this.#entries.set(name, entry)
    }
    const subscription = new Subscription(session, entry.channel)
    entry.channel.add(subscription)
    this.#subscriptions++
    return subscription
  }

  /** Settles when the channel's publications reach this node; rejects when the broker is away. */
  ready(subscription: Subscription): Awaitable<void> {
    const entry = this.#entries.get(subscription.channel.name)
    if (entry?.isUnwanted) this.#want(entry)
    return entry?.ready
  }

  #want(entry: Entry): void {
    entry.ready = this.#ports.broker.subscribe(entry.channel.name)
    entry.isUnwanted = false
    if (!(entry.ready instanceof Promise)) return
    entry.ready.catch(() => {
      entry.isUnwanted = true
    })
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
      await this.#ports.broker.unsubscribe(name)
    } catch {}
  }

  interrupted(name: string): void {
    const entry = this.#entries.get(name)
    if (!entry) return
    entry.channel.interrupt()
    entry.catchUp.run()
  }

  /** It goes on after the position, once its channel has caught up from there. */
  catchUp(subscription: Subscription, connection: Connection, since: Position): void {
    const entry = this.#entries.get(subscription.channel.name)
    if (!entry) return
    entry.channel.catchUp(subscription, connection, since)
    entry.catchUp.run()
  }

  publication(name: string, publication: Publication, epoch: string): void {
    const { counters, rules } = this.#ports
    counters.publications++
    const entry = this.#entries.get(name)
    if (entry) counters.deliveries += entry.channel.deliver(publication, epoch, slotOf(name, publication, rules.of(name)))
  }

  announcement(message: Announcement): void {
    const entry = this.#entries.get(message.channel)
    if (entry) this.#ports.counters.deliveries += entry.channel.announce(message)
  }
}
