import { ERRORS, FusewireError, type SubscriptionRequest } from '@fusewire/protocol'
import { assertAllowed, assertPresenceVisible } from './access.ts'
import type { Attendance } from './attendance.ts'
import { assertChannelName } from './channel-name.ts'
import { ChannelTokens } from './channel-tokens.ts'
import type { HookNotices } from './hook-notices.ts'
import type { HookQuestions } from './hook-questions.ts'
import type { Hub } from './hub.ts'
import type { Authenticator } from './ports/authenticator.ts'
import type { Broker } from './ports/broker.ts'
import type { UnsubscribeReason } from './ports/hooks.ts'
import type { Revocations } from './ports/revocations.ts'
import type { SubscriptionRecord } from './ports/session-store.ts'
import { Recoverer } from './recoverer.ts'
import type { Revocation } from './revocation.ts'
import type { RuleBook } from './rule-book.ts'
import type { Session } from './session.ts'
import type { Counters } from './stats.ts'
import type { Subscription } from './subscription.ts'
import type { TimerWheel } from './timer-wheel.ts'

export interface SubscriptionsPorts {
  readonly hub: Hub
  readonly broker: Broker
  readonly attendance: Attendance
  readonly authenticator: Authenticator
  readonly questions: HookQuestions
  readonly notices: HookNotices
  readonly revocations: Revocations
  readonly rules: RuleBook
  readonly wheel: TimerWheel
  readonly counters: Counters
  readonly maxChannelsPerSession: number
  /** Called when another node has to know otherwise of the session's subscriptions than it did. */
  readonly onChanged: (session: Session) => void
}

/** Why the server ends a subscription. */
type RevokeCode = 'token_expired' | 'token_revoked' | 'disconnected'

export interface SubscribeOptions {
  /** The application asks, and needs no access. */
  readonly trusted?: boolean
  /** A resumed session goes on with a subscription that its client has not named: its filter and wishes stay. */
  readonly resumed?: boolean
}

const TAGS_IN_STATE_CHANNEL = 'tags cannot be asked for in a channel with a document: each of its changes is needed'

/** How sessions enter and leave channels. */
export class Subscriptions {
  readonly #ports: SubscriptionsPorts
  readonly #tokens: ChannelTokens
  readonly #recoverer: Recoverer

  constructor(ports: SubscriptionsPorts) {
    this.#ports = ports
    const { authenticator, revocations, wheel, hub, broker, attendance, rules, counters, onChanged } = ports
    const onEnd = ({ session, channel }: Subscription, code: 'token_expired' | 'token_revoked') =>
      this.revoke(session, channel.name, code, ERRORS[code].help)
    this.#tokens = new ChannelTokens({ authenticator, revocations, wheel, onEnd })
    const onFailed = (subscription: Subscription): void => this.#drop(subscription, 'unsubscribed')
    this.#recoverer = new Recoverer({ hub, broker, attendance, rules, counters, onChanged, onFailed })
  }

  /**
   * Subscribes, or subscribes again, and sends `subscribed`, everything after `since` in it, to the session's link.
   *
   * The request is its connection's: when the session has lost or changed that meanwhile, it comes to nothing, and the wishes stay what
   * they were.
   */
  async subscribe(session: Session, request: SubscriptionRequest, options: SubscribeOptions = {}): Promise<void> {
    const { link } = session
    try {
      await this.#subscribe(session, request, options)
    } catch (error) {
      // Cut off before it was established, and refused when it was repeated: nobody will try it again.
      const left = session.subscriptions.get(request.channel)
      if (session.link === link && left?.state.kind === 'paused' && !left.isEstablished) this.#drop(left, 'unsubscribed')
      throw error
    }
  }

  async #subscribe(session: Session, request: SubscriptionRequest, options: SubscribeOptions): Promise<void> {
    const { channel: name, since, token } = request
    const { link } = session
    assertChannelName(name)
    let grant = token === undefined ? undefined : await this.#tokens.authorize(token, name, session.user)
    if (session.link !== link) return
    if (grant) this.#tokens.assertGood(grant)

    const isNew = !options.trusted && !session.subscriptions.has(name)
    if (isNew && !grant) this.#assertMaySubscribe(session, name)
    if (request.tags && this.#ports.rules.of(name).state) throw new FusewireError('invalid_field', TAGS_IN_STATE_CHANNEL)
    if (request.presence) assertPresenceVisible(name, this.#ports.rules.of(name), session)
    if (isNew && this.#ports.questions.isAsked('subscribe', name)) {
      grant = await this.#ports.questions.subscribe(session, name, grant)
      if (session.link !== link) return
      this.#tokens.assertGood(grant)
    }
    const subscription = session.subscriptions.get(name) ?? this.#enter(session, name)
    if (grant) this.#tokens.accept(subscription, grant)
    this.#ports.attendance.note(subscription)
    const { filter, wantsPresence } = subscription
    const wishes = options.resumed
      ? { filter, wantsPresence }
      : { filter: request.tags, wantsPresence: request.presence ?? false }
    await this.#recoverer.run(subscription, {
      id: request.id,
      since: since ?? (options.resumed ? 'nowhere' : undefined),
      wishes,
    })
  }

  /** Ends the subscription, and presence with it. False when there was none. */
  unsubscribe(session: Session, name: string, reason: UnsubscribeReason = 'unsubscribed'): boolean {
    const subscription = session.subscriptions.get(name)
    if (!subscription) return false
    this.#drop(subscription, reason)
    return true
  }

  /** Ends the subscription on behalf of the server, and tells the client why. */
  revoke(session: Session, name: string, code: RevokeCode, reason: string): boolean {
    if (!this.unsubscribe(session, name, code)) return false
    session.link?.send({ type: 'unsubscribed', channel: name, code, reason })
    return true
  }

  /** Takes a newer channel token. Returns its end. */
  async refresh(session: Session, name: string, token: string): Promise<number | undefined> {
    const { link } = session
    const grant = await this.#tokens.authorize(token, name, session.user)
    // A connection that has taken over meanwhile may have brought a newer one.
    if (session.link !== link) return undefined
    const subscription = session.subscriptions.get(name)
    if (!subscription) throw new FusewireError('not_subscribed')
    this.#tokens.assertGood(grant)
    if (!this.#ports.questions.isAsked('refresh', name)) {
      this.#tokens.accept(subscription, grant)
      this.#ports.onChanged(session)
      return grant.expiresAt
    }
    const { decision: _, ...changes } = await this.#ports.questions.refresh(session, {
      channel: name,
      expiresAt: grant.expiresAt,
    })
    if (session.link !== link) return undefined
    if (!subscription.isEntered) throw new FusewireError('not_subscribed')
    this.#tokens.assertGood(grant)
    const changed = { ...grant, ...changes }
    this.#tokens.accept(subscription, changed)
    this.#ports.onChanged(session)
    return changed.expiresAt
  }

  /** Ends the subscriptions whose channel token has been revoked; `sessions` are those of the user that it is about. */
  revokeTokens(revocation: Revocation, sessions: readonly Session[]): void {
    this.#tokens.revoked(
      revocation,
      sessions.flatMap(({ subscriptions }) => subscriptions.values()),
    )
  }

  /** Ends all subscriptions of a session that has ended. */
  endAll(session: Session): void {
    for (const subscription of session.subscriptions.values()) this.#drop(subscription, 'session_ended')
  }

  /** What a session had on another node goes on here, paused. */
  adopt(session: Session, records: readonly SubscriptionRecord[]): void {
    for (const { channel: name, isPending, filter, wantsPresence = false, member, grant } of records) {
      const subscription = this.#add(session, name)
      Object.assign(subscription, { filter, wantsPresence, isEstablished: !isPending })
      if (member) subscription.presence = { kind: 'taken', member }
      if (!grant) continue
      this.#tokens.accept(subscription, grant)
      if (this.#ports.revocations.isRevoked(grant)) this.revoke(session, name, 'token_revoked', ERRORS.token_revoked.help)
    }
  }

  /** The subscriptions of a session end here, and nobody is told: whoever has its record sees to that. */
  letGo(session: Session): void {
    for (const subscription of session.subscriptions.values()) this.#stop(subscription)
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
    return this.#add(session, name)
  }

  #add(session: Session, name: string): Subscription {
    const subscription = this.#ports.hub.enter(session, name)
    session.subscriptions.set(name, subscription)
    if (subscription.channel.size === 1) this.#ports.notices.occupied(name)
    return subscription
  }

  #drop(subscription: Subscription, reason: UnsubscribeReason): void {
    const { session, channel, isEstablished } = subscription
    session.subscriptions.delete(channel.name)
    this.#tokens.release(subscription)
    this.#ports.hub.leave(subscription)
    this.#ports.attendance.leave(subscription)
    if (isEstablished) this.#ports.notices.unsubscribed(session, channel.name, reason)
    if (channel.size === 0) this.#ports.notices.vacated(channel.name)
    this.#ports.onChanged(session)
  }

  /** Ends it on this node. */
  #stop(subscription: Subscription): void {
    const { session, channel } = subscription
    session.subscriptions.delete(channel.name)
    this.#tokens.release(subscription)
    this.#ports.hub.leave(subscription)
    subscription.presence = { kind: 'absent' }
    if (channel.size === 0) this.#ports.notices.vacated(channel.name)
  }
}
