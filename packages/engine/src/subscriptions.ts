import { FusewireError, type Position, type Publication, type Subscribed, type SubscriptionRequest } from '@fusewire/protocol'
import { assertAllowed, assertPresenceVisible } from './access.ts'
import type { Attendance } from './attendance.ts'
import { assertChannelName } from './channel-name.ts'
import { isConflated } from './conflation.ts'
import type { Hub } from './hub.ts'
import { isOverrun } from './hub-channel.ts'
import type { Authenticator, ChannelGrant } from './ports/authenticator.ts'
import type { Broker, HistoryPage } from './ports/broker.ts'
import type { RuleBook } from './rule-book.ts'
import type { Session, SessionLink } from './session.ts'
import type { Counters } from './stats.ts'
import type { Subscription } from './subscription.ts'
import type { TimerWheel } from './timer-wheel.ts'

export interface SubscriptionsPorts {
  readonly hub: Hub
  readonly broker: Broker
  readonly attendance: Attendance
  readonly authenticator: Authenticator
  readonly rules: RuleBook
  readonly wheel: TimerWheel
  readonly counters: Counters
  readonly maxChannelsPerSession: number
}

export interface SubscribeOptions {
  /** The application asks, and needs no access. */
  readonly trusted?: boolean
  /** A resumed session goes on with a subscription that its client has not named: its filter and wishes stay. */
  readonly resumed?: boolean
}

/** How sessions enter and leave channels. */
export class Subscriptions {
  readonly #ports: SubscriptionsPorts

  constructor(ports: SubscriptionsPorts) {
    this.#ports = ports
  }

  /**
   * Subscribes, or subscribes again, and sends `subscribed`, everything after `since` in it, to the session's link.
   *
   * From `recover` on nothing is missed: what is published while the history is read is held and follows it. The request is its
   * connection's: when the session has lost or changed that meanwhile, it comes to nothing.
   */
  async subscribe(session: Session, request: SubscriptionRequest, options: SubscribeOptions = {}): Promise<void> {
    const { channel: name, since, token } = request
    const { link } = session
    assertChannelName(name)
    const grant = token === undefined ? undefined : await this.#ports.authenticator.authorizeChannel(token, name, session.user)
    if (session.link !== link) return

    const known = session.subscriptions.get(name)
    if (!options.trusted && !known && !grant) this.#assertMaySubscribe(session, name)
    if (request.presence) assertPresenceVisible(name, this.#ports.rules.of(name), session)
    const subscription = known ?? this.#enter(session, name)
    if (grant) this.#accept(subscription, grant)
    const { channel, filter, wantsPresence } = subscription
    const wasLive = subscription.state.kind === 'live'
    if (!options.resumed) {
      subscription.filter = request.tags
      subscription.wantsPresence = request.presence ?? false
    }

    const held = channel.recover(subscription)
    const isRecovering = (): boolean => subscription.state.kind === 'recovering' && subscription.state.held === held
    try {
      const page = await this.#read(subscription, since)
      if (!isRecovering()) {
        // A newer subscribe decides, or the connection is gone; or else the application has ended what was about to begin.
        if (!link || session.link !== link || subscription.isEntered) return
        throw new FusewireError('not_subscribed', 'unsubscribed by the application before it was subscribed')
      }
      if (isOverrun(held)) throw new FusewireError('overloaded', `${name} publishes more than can wait for its history`)
      if (link) {
        const recovered = since ? page.complete : options.resumed ? false : undefined
        if (since) this.#ports.counters.recoveries[page.complete ? 'complete' : 'incomplete']++
        const conflated = isConflated(this.#ports.rules.of(name))
        link.send({ ...subscribedMessage(subscription, request.id, page, recovered), ...(conflated && { conflated }) })
        this.#goLive(subscription, link, held, page.position.offset)
      } else channel.pause(subscription)
      subscription.isEstablished = true
    } catch (error) {
      if (isRecovering()) {
        // What it was before goes on, as if nothing had been asked.
        Object.assign(subscription, { filter, wantsPresence })
        if (!subscription.isEstablished) this.#drop(subscription)
        else if (link && wasLive && !isOverrun(held)) this.#goLive(subscription, link, held, 0)
        else channel.pause(subscription)
      }
      throw error
    }
  }

  /** Ends the subscription, and presence with it. False when there was none. */
  unsubscribe(session: Session, name: string): boolean {
    const subscription = session.subscriptions.get(name)
    if (!subscription) return false
    this.#drop(subscription)
    return true
  }

  /** Ends the subscription on behalf of the server, and tells the client why. */
  revoke(session: Session, name: string, code: 'token_expired' | 'disconnected', reason: string): boolean {
    if (!this.unsubscribe(session, name)) return false
    session.link?.send({ type: 'unsubscribed', channel: name, code, reason })
    return true
  }

  /** Takes a newer channel token. Returns its end. */
  async refresh(session: Session, name: string, token: string): Promise<number | undefined> {
    const { link } = session
    const grant = await this.#ports.authenticator.authorizeChannel(token, name, session.user)
    // A connection that has taken over meanwhile may have brought a newer one.
    if (session.link !== link) return undefined
    const subscription = session.subscriptions.get(name)
    if (!subscription) throw new FusewireError('not_subscribed')
    this.#accept(subscription, grant)
    return grant.expiresAt
  }

  /** Ends all subscriptions of a session that has ended. */
  endAll(session: Session): void {
    for (const subscription of [...session.subscriptions.values()]) this.#drop(subscription)
  }

  #assertMaySubscribe(session: Session, name: string): void {
    if (session.identity.channels.includes(name)) return
    assertAllowed('subscribe', name, this.#ports.rules.of(name).subscribe, session)
  }

  #enter(session: Session, name: string): Subscription {
    if (session.subscriptions.size >= this.#ports.maxChannelsPerSession) {
      this.#ports.counters.refuse('maxChannelsPerSession')
      throw new FusewireError('too_many_channels', `a session may have ${this.#ports.maxChannelsPerSession} channels`)
    }
    const subscription = this.#ports.hub.enter(session, name)
    session.subscriptions.set(name, subscription)
    return subscription
  }

  /** Each of these may come late, or find that the subscription has ended. */
  async #read(subscription: Subscription, since: Position | undefined): Promise<HistoryPage> {
    const { hub, broker, attendance } = this.#ports
    await hub.ready(subscription)
    const page = await broker.history(subscription.channel.name, since ? { since } : { limit: 0 })
    if (subscription.isEntered) await attendance.join(subscription)
    return page
  }

  /** What was held after `offset` follows, then everything that is published. */
  #goLive(subscription: Subscription, link: SessionLink, held: readonly Publication[], offset: number): void {
    const { channel } = subscription
    for (const publication of held)
      if (publication.offset > offset && subscription.wants(publication))
        link.send({ type: 'publication', channel: channel.name, ...publication })
    channel.goLive(subscription, link.connection)
  }

  #accept(subscription: Subscription, { expiresAt, info }: ChannelGrant): void {
    this.#stopExpiry(subscription)
    subscription.info = info
    subscription.expiresAt = expiresAt
    if (expiresAt === undefined) return
    subscription.expiry = { due: () => this.#expire(subscription) }
    this.#ports.wheel.schedule(subscription.expiry, expiresAt)
  }

  #expire({ session, channel }: Subscription): undefined {
    this.revoke(session, channel.name, 'token_expired', 'the channel token has expired')
  }

  #stopExpiry(subscription: Subscription): void {
    if (subscription.expiry) this.#ports.wheel.cancel(subscription.expiry)
    subscription.expiry = undefined
  }

  #drop(subscription: Subscription): void {
    subscription.session.subscriptions.delete(subscription.channel.name)
    this.#stopExpiry(subscription)
    this.#ports.hub.leave(subscription)
    this.#ports.attendance.leave(subscription)
  }
}

const subscribedMessage = (
  subscription: Subscription,
  id: number | undefined,
  { position, publications: missed }: HistoryPage,
  recovered: boolean | undefined,
): Subscribed => {
  const { channel, expiresAt } = subscription
  const publications = recovered ? missed.filter((publication) => subscription.wants(publication)) : []
  return {
    type: 'subscribed',
    ...(id !== undefined && { id }),
    channel: channel.name,
    position,
    ...(recovered !== undefined && { recovered }),
    ...(publications.length > 0 && { publications }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}
