import type { Position, Publication, PublicationMessage } from '@fusewire/protocol'
import { DeliveryGroup, type Place } from './delivery-group.ts'
import { DenseSet } from './dense-set.ts'
import { HeldPublications } from './held-publications.ts'
import type { Announcement } from './ports/broker.ts'
import type { Connection, FrameFormat, Slot } from './ports/connection.ts'
import { SharedMessage } from './shared-message.ts'
import { PAUSED, type Standing, type Subscription, type SubscriptionState } from './subscription.ts'

/** How far the channel has been heard of on this node. */
interface Heard {
  readonly epoch: string
  offset: number
}

/**
 * One channel's subscribers on this node, grouped by frame format, so that a publication is encoded and framed once for each group
 * and the rest is one `send` a connection.
 */
export class HubChannel {
  readonly name: string
  /** Subscriptions that have lost their connection to the stream, until their channel has caught up. */
  readonly catching = new Set<Subscription>()
  /** What is published meanwhile. */
  readonly heldForCatching = new HeldPublications()
  readonly #onMissed: () => void
  readonly #subscriptions = new DenseSet<Subscription>()
  /** What is published meanwhile, of each that recovers. */
  readonly #recovering = new DenseSet<HeldPublications>()
  #groups: readonly DeliveryGroup[] = []
  /**
   * Those that are live or catching up, or were when they subscribed again, and want to know who comes and goes; undefined until there is
   * one, as in most channels.
   */
  #watching: Set<Subscription> | undefined
  /** Undefined until something is known of the stream, and again when it was interrupted. */
  #heard: Heard | undefined
  /** Up to this offset somebody may have had what is only now being heard. */
  #aheadTo = 0

  /** `onMissed` is called when what is heard does not follow what was heard before; it MUST call {@link interrupt}. */
  constructor(name: string, onMissed: () => void) {
    this.name = name
    this.#onMissed = onMissed
  }

  get size(): number {
    return this.#subscriptions.size
  }

  add(subscription: Subscription): void {
    this.#subscriptions.add(subscription)
  }

  /** False when it was not here. */
  remove(subscription: Subscription): boolean {
    this.pause(subscription)
    return this.#subscriptions.delete(subscription)
  }

  /** From now on publications are held for it. */
  recover(subscription: Subscription): HeldPublications {
    const before = this.#place(subscription)
    this.pause(subscription)
    const held = new HeldPublications()
    // Of what it was catching up with, nothing was held for it alone.
    if (before?.isBehind) held.restart()
    subscription.state = { kind: 'recovering', held, before }
    this.#recovering.add(held)
    if (before) this.#watch(subscription)
    return held
  }

  /** From now on publications after the position go to the connection. */
  goLive(subscription: Subscription, connection: Connection, position: Position): void {
    this.pause(subscription)
    this.#align(position)
    this.#groupOf(connection.format).add(subscription, connection, position.offset)
    this.#watch(subscription)
  }

  /** It goes on after the position, once its channel has caught up from there. */
  catchUp(subscription: Subscription, connection: Connection, since: Position): void {
    this.pause(subscription)
    // Nothing was held for it until now, even if the channel is catching up already.
    this.heldForCatching.interrupt()
    subscription.state = { kind: 'catching', connection, since }
    this.catching.add(subscription)
    this.#watch(subscription)
  }

  pause(subscription: Subscription): void {
    const { state } = subscription
    if (state.kind === 'recovering') this.#recovering.delete(state.held)
    if (state.kind === 'catching') this.catching.delete(subscription)
    if (state.kind === 'live') this.#leaveGroup(state)
    this.#watching?.delete(subscription)
    subscription.state = PAUSED
  }

  /**
   * Something may have been missed: whoever was live has to catch up, and what is being read for others has to be read again.
   */
  interrupt(): void {
    for (const held of this.#recovering.members) held.interrupt()
    this.heldForCatching.interrupt()
    const heard = this.#heard
    const live = this.#groups.flatMap(({ subscriptions }) => subscriptions)
    this.#groups = []
    this.#heard = undefined
    this.#aheadTo = 0
    if (!heard) return
    const since: Position = { ...heard }
    for (const subscription of live) {
      const { state } = subscription
      if (state.kind !== 'live') continue
      const { connection, after } = state
      subscription.state = PAUSED
      this.catchUp(subscription, connection, after > since.offset ? { ...since, offset: after } : since)
    }
  }

  /** Returns how many connections it was handed to; see {@link Connection.send} for the slot. */
  deliver(publication: Publication, epoch: string, slot?: Slot): number {
    const { offset } = publication
    if (this.#heard && (epoch !== this.#heard.epoch || offset > this.#heard.offset + 1)) this.#onMissed()
    for (const held of this.#recovering.members) held.hold(publication, epoch)
    if (this.catching.size > 0) this.heldForCatching.hold(publication, epoch)
    if (!this.#heard) this.#heard = { epoch, offset }
    else if (offset <= this.#heard.offset) return 0
    else this.#heard.offset = offset
    if (this.#groups.length === 0) return 0
    const message: PublicationMessage = { type: 'publication', channel: this.name, ...publication }
    const mayBeKnown = offset <= this.#aheadTo
    let delivered = 0
    for (const group of this.#groups) delivered += group.deliver(message, mayBeKnown, slot)
    return delivered
  }

  /** Tells those who asked for presence, but not the member itself. Returns how many connections it was handed to. */
  announce(message: Announcement): number {
    if (!this.#watching?.size) return 0
    const { session: about } = message.member
    const shared = new SharedMessage(message)
    let delivered = 0
    for (const { state, session } of this.#watching) {
      const connection = connectionOf(state)
      if (session.id === about || !connection) continue
      connection.send(shared.frame(connection.format))
      delivered++
    }
    return delivered
  }

  #watch(subscription: Subscription): void {
    if (!subscription.wantsPresence) return
    this.#watching ??= new Set()
    this.#watching.add(subscription)
  }

  /** How far a subscription has got that is live, or was before an interruption. */
  #place({ state }: Subscription): (Standing & { readonly isBehind: boolean }) | undefined {
    if (state.kind === 'catching') return { connection: state.connection, position: state.since, isBehind: true }
    if (state.kind !== 'live' || !this.#heard) return undefined
    const { epoch, offset } = this.#heard
    return { connection: state.connection, position: { epoch, offset: Math.max(offset, state.after) }, isBehind: false }
  }

  /**
   * What is read may be ahead of what is heard, and then somebody has already what others still wait for; or behind what was read
   * for others, and then it is they who are ahead. One of another epoch tells of an interruption.
   */
  #align({ epoch, offset }: Position): void {
    if (this.#heard && this.#heard.epoch !== epoch) this.#onMissed()
    this.#heard ??= { epoch, offset }
    this.#aheadTo = Math.max(this.#aheadTo, offset, this.#heard.offset)
    this.#heard.offset = Math.min(this.#heard.offset, offset)
  }

  #groupOf(format: FrameFormat): DeliveryGroup {
    const known = this.#groups.find((group) => group.format === format)
    if (known) return known
    const group = new DeliveryGroup(format)
    this.#groups = [...this.#groups, group]
    return group
  }

  #leaveGroup(state: Place & { readonly connection: Connection }): void {
    const group = this.#groupOf(state.connection.format)
    group.remove(state)
    if (group.size === 0) this.#groups = this.#groups.filter((other) => other !== group)
  }
}

/** Over which it hears who comes and goes. */
const connectionOf = (state: SubscriptionState): Connection | undefined => {
  if (state.kind === 'paused') return undefined
  return state.kind === 'recovering' ? state.before?.connection : state.connection
}
