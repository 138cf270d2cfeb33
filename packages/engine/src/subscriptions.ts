import { FusewireError, type SubscriptionRequest } from '@fusewire/protocol'
import { assertAllowed, assertPresenceVisible } from './access.ts'
import { assertChannelName } from './channel-name.ts'
import type { Hub } from './hub.ts'
import type { Log } from './log.ts'
import type { Authenticator, ChannelGrant } from './ports/authenticator.ts'
import type { Broker, HistoryPage, PresenceStore } from './ports/broker.ts'
import type { RuleBook } from './rule-book.ts'
import type { Session } from './session.ts'
import type { Counters } from './stats.ts'
import type { Subscription } from './subscription.ts'
import type { TimerWheel } from './timer-wheel.ts'

export interface SubscriptionsPorts {
  readonly hub: Hub
  readonly broker: Broker
  readonly presence: PresenceStore
  readonly authenticator: Authenticator
  readonly rules: RuleBook
  readonly wheel: TimerWheel
  readonly counters: Counters
  readonly log: Log
  readonly maxChannelsPerSession: number
}

/** Publications that a subscription holds while its history is being read, at most; more of them and it is refused. */
const MAX_HELD_PUBLICATIONS = 10_000

/** How sessions enter and leave channels. */
export class Subscriptions {
  readonly #ports: SubscriptionsPorts

  constructor(ports: SubscriptionsPorts) {
    this.#ports = ports
  }

  /**
   * Subscribes, or subscribes again after a break, and sends `subscribed`, everything after `since` in it, to the session's link.
   * `trusted` requests come from the application and need no access.
   *
   * From `recover` on nothing is missed: what is published while the history is read is held and follows it.
   */
  async subscribe(
    session: Session,
    request: SubscriptionRequest,
    options: { trusted?: boolean; resumed?: boolean } = {},
  ): Promise<void> {
    const { hub, broker, rules, counters } = this.#ports
    const { channel: name, since } = request
    assertChannelName(name)
    const grant =
      request.token === undefined
        ? undefined
        : await this.#ports.authenticator.authorizeChannel(request.token, name, session.user)
    const known = session.subscriptions.get(name)
    if (!options.trusted && !known && !grant) assertAllowed('subscribe', name, rules.of(name).subscribe, session)
    if (request.presence) assertPresenceVisible(name, rules.of(name), session)
    const subscription = known ?? this.#enter(session, name)
    subscription.filter = request.tags ?? (options.resumed ? subscription.filter : undefined)
    subscription.wantsPresence = request.presence ?? (options.resumed ? subscription.wantsPresence : false)
    if (grant) this.#accept(subscription, grant)

    const { channel } = subscription
    const held = channel.recover(subscription)
    let page: HistoryPage
    try {
      await hub.ready(subscription)
      page = await broker.history(name, since ? { since } : { limit: 0 })
      if (held.length > MAX_HELD_PUBLICATIONS) throw new FusewireError('overloaded')
      await this.#join(subscription)
    } catch (error) {
      if (known) channel.pause(subscription)
      else this.#drop(subscription)
      throw error
    }
    // Another subscribe of the same channel, a lost connection or an unsubscribe came while this one waited, and decides.
    if (subscription.state.kind !== 'recovering' || subscription.state.held !== held) return
    const { link } = session
    if (!link) {
      channel.pause(subscription)
      return
    }

    const recovered = since ? page.complete : options.resumed ? false : undefined
    if (since) counters.recoveries[page.complete ? 'complete' : 'incomplete']++
    const publications = recovered ? page.publications.filter((publication) => subscription.wants(publication)) : []
    link.send({
      type: 'subscribed',
      ...(request.id !== undefined && { id: request.id }),
      channel: name,
      position: page.position,
      ...(recovered !== undefined && { recovered }),
      ...(publications.length > 0 && { publications }),
      ...(subscription.expiresAt !== undefined && { expiresAt: subscription.expiresAt }),
    })
    for (const publication of held) {
      if (publication.offset > page.position.offset && subscription.wants(publication))
        link.send({ type: 'publication', channel: name, ...publication })
    }
    channel.goLive(subscription, link.connection)
  }

  /** Ends the subscription, and presence with it. False when there was none. */
  unsubscribe(session: Session, name: string): boolean {
    const subscription = session.subscriptions.get(name)
    if (!subscription) return false
    this.#drop(subscription)
    return true
  }

  /** Ends the subscription on behalf of the server, and tells the client why. */
  revoke(session: Session, name: string, code: 'permission_denied' | 'token_expired' | 'disconnected', reason: string): boolean {
    if (!this.unsubscribe(session, name)) return false
    session.link?.send({ type: 'unsubscribed', channel: name, code, reason })
    return true
  }

  /** Takes a newer channel token. Returns its end. */
  async refresh(session: Session, name: string, token: string): Promise<number | undefined> {
    const subscription = session.subscriptions.get(name)
    if (!subscription) throw new FusewireError('not_subscribed')
    this.#accept(subscription, await this.#ports.authenticator.authorizeChannel(token, name, session.user))
    return subscription.expiresAt
  }

  /** Ends all subscriptions of a session that has ended. */
  endAll(session: Session): void {
    for (const subscription of [...session.subscriptions.values()]) this.#drop(subscription)
  }

  #enter(session: Session, name: string): Subscription {
    if (session.subscriptions.size >= this.#ports.maxChannelsPerSession) {
      throw new FusewireError('too_many_channels', `a session may have ${this.#ports.maxChannelsPerSession} channels`)
    }
    const subscription = this.#ports.hub.enter(session, name)
    session.subscriptions.set(name, subscription)
    return subscription
  }

  #accept(subscription: Subscription, { expiresAt, info }: ChannelGrant): void {
    subscription.expiresAt = expiresAt
    subscription.info = info
    if (expiresAt !== undefined) this.#ports.wheel.schedule({ due: (now) => this.#expire(subscription, now) }, expiresAt)
  }

  /** A token that has been refreshed meanwhile has a deadline of its own. */
  #expire(subscription: Subscription, now: number): undefined {
    const { session, channel, expiresAt } = subscription
    if (expiresAt === undefined || expiresAt > now || session.subscriptions.get(channel.name) !== subscription) return
    this.revoke(session, channel.name, 'token_expired', 'the channel token has expired')
  }

  async #join(subscription: Subscription): Promise<void> {
    const { channel, session } = subscription
    if (!channel.rule.presence || subscription.member || !isEntered(subscription)) return
    const member = session.member(subscription.info)
    subscription.member = member
    await this.#ports.presence.add(channel.name, member)
    if (!isEntered(subscription)) return this.#ports.presence.remove(channel.name, session.id)
    this.#ports.counters.deliveries += channel.announce({ type: 'join', channel: channel.name, member })
  }

  #drop(subscription: Subscription): void {
    const { channel, session } = subscription
    session.subscriptions.delete(channel.name)
    this.#ports.hub.leave(subscription)
    const { member } = subscription
    if (!member) return
    this.#ports.counters.deliveries += channel.announce({ type: 'leave', channel: channel.name, member })
    Promise.resolve(this.#ports.presence.remove(channel.name, session.id)).catch((error: unknown) =>
      this.#ports.log('presence_remove_failed', { channel: channel.name, session: session.id, error }),
    )
  }
}

/** False when it was dropped while something was awaited. */
const isEntered = (subscription: Subscription): boolean =>
  subscription.session.subscriptions.get(subscription.channel.name) === subscription
