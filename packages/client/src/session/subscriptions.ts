import type { ClientMessage, ServerMessage, SubscriptionRequest, Unsubscribed } from '@fusewire/protocol'
import { type BackoffBounds, fullJitter } from '../backoff.ts'
import { ClientError } from '../client-error.ts'
import { deliver, goLive } from './delivery.ts'
import { end, lose, stop } from './ending.ts'
import type { Requests } from './requests.ts'
import {
  configure,
  fits,
  type HolderOptions,
  isAbout,
  newSubscription,
  requestOf,
  type SubscribedEvent,
  type Subscription,
  type SubscriptionEvents,
  type SubscriptionState,
  type UnsubscribedEvent,
} from './subscription.ts'
import type { TokenKeeper } from './token-keeper.ts'

/** Subscriptions that `connect` carries together, in UTF-16 code units of JSON: far from any `maxMessageBytes`. */
const MAX_CONNECT_LENGTH = 16_384

/** All channels of the client: joins them, keeps their positions, and joins them again after a cut. */
export class Subscriptions {
  readonly #requests: Requests
  readonly #backoff: BackoffBounds
  readonly #byChannel = new Map<string, Subscription>()
  /** Channels that were left, but that the server may still count as joined; with the timer of the next try where it would not end one. */
  readonly #leaving = new Map<string, ReturnType<typeof setTimeout> | undefined>()
  #send: ((message: ClientMessage) => void) | undefined

  constructor(requests: Requests, backoff: BackoffBounds) {
    this.#requests = requests
    this.#backoff = backoff
  }

  get(channel: string): Subscription | undefined {
    return this.#byChannel.get(channel)
  }

  listen<Type extends keyof SubscriptionEvents>(
    channel: string,
    type: Type,
    listener: (event: SubscriptionEvents[Type]) => void,
  ): () => void {
    const subscription = this.#entry(channel)
    const stop = subscription.events.on(type, listener)
    return () => {
      stop()
      this.#forgetUnused(subscription)
    }
  }

  /** Joins on behalf of `holder`; `onEnd` is told when the subscription ends before the holder leaves. */
  async join(
    channel: string,
    holder: object,
    options: HolderOptions,
    onEnd?: (error?: ClientError) => void,
  ): Promise<SubscribedEvent> {
    const subscription = this.#entry(channel)
    const { holders, state } = subscription
    if (holders.size === 0) {
      configure(subscription, options, this.#requests)
      if (state.name === 'live') subscription.counterpart = 'something'
    } else if (!fits(subscription.options, options)) {
      throw new ClientError('options_conflict', `${channel} is subscribed with other options`)
    }
    const isFirst = holders.size === 0
    holders.set(holder, onEnd)
    subscription.document ??= options.document?.(subscription.events, isFirst)
    const isReady = state.name === 'live' && !subscription.document?.isMissing
    if (isReady && !isFirst) return state.event
    return new Promise((resolve, reject) => {
      subscription.waiters.push({ resolve, reject })
      // A document that is wanted later than the channel has to be asked for.
      if (isFirst || state.name === 'live') this.#want(subscription)
    })
  }

  /** The last holder's leave ends the subscription; resolves when the server has confirmed, or when there is nobody to ask. */
  async leave(channel: string, holder: object): Promise<void> {
    const subscription = this.#byChannel.get(channel)
    if (!subscription?.holders.delete(holder) || subscription.holders.size > 0) return
    const left = this.#unsubscribe(channel)
    this.#end(subscription, new ClientError('not_subscribed', 'the channel was left'), {})
    await left
  }

  /** What `connect` asks for. The others are asked for once it is answered. */
  hello(): SubscriptionRequest[] {
    let length = 0
    const requests: SubscriptionRequest[] = []
    for (const subscription of this.#byChannel.values()) {
      if (subscription.state.name === 'off') continue
      subscription.state = { name: 'wanted' }
      if (subscription.tokens?.isMissing) continue
      length += JSON.stringify(requestOf(subscription)).length
      if (length >= MAX_CONNECT_LENGTH) continue
      // An unsubscribe that is still due would end the new subscription with the old one, which the server still has.
      this.#rejoin(subscription)
      requests.push(this.#ask(subscription))
    }
    return requests
  }

  connected(send: (message: ClientMessage) => void): void {
    this.#send = send
    for (const channel of this.#leaving.keys()) this.#unsubscribe(channel)
    for (const subscription of this.#byChannel.values()) if (subscription.state.name === 'wanted') this.#subscribe(subscription)
  }

  lost(): void {
    this.#send = undefined
    for (const subscription of this.#byChannel.values()) lose(subscription)
  }

  /** The client stops: nobody waits any longer. What holders without an `onEnd` want is taken up by the next connection. */
  stop(error: ClientError): void {
    for (const retryTimer of this.#leaving.values()) clearTimeout(retryTimer)
    this.#leaving.clear()
    for (const subscription of [...this.#byChannel.values()]) {
      stop(subscription, error)
      this.#forgetUnused(subscription)
    }
  }

  receive(message: ServerMessage & { readonly channel?: string }): void {
    const { channel } = message
    if (channel === undefined) return
    if (message.type === 'unsubscribed' && message.id !== undefined) this.#leaving.delete(channel)
    else if (this.#leaving.has(channel)) return
    else {
      const subscription = message.type === 'subscribed' ? this.#entry(channel) : this.#byChannel.get(channel)
      if (subscription) this.#hear(subscription, message)
    }
  }

  #hear(subscription: Subscription, message: ServerMessage): void {
    if (message.type === 'subscribed' && message.id !== undefined && subscription.state.name === 'off') {
      // Asked for before this client heard that the server had ended what it repeats: nobody here wants it any more.
      void this.#unsubscribe(subscription.channel)
      this.#forgetUnused(subscription)
      return
    }
    if (!isAbout(subscription, message)) {
      if (message.type === 'subscribed') subscription.counterpart = 'something'
      return
    }
    if (message.type === 'subscribed') goLive(subscription, message)
    else if (subscription.state.name === 'off') return
    else if (message.type === 'publication') deliver(subscription, message)
    else if (message.type === 'join' || message.type === 'leave') subscription.events.emit(message.type, message.member)
    else if (message.type === 'unsubscribed') this.#revoked(subscription, message)
    if (subscription.state.name === 'live' && subscription.document?.isMissing) this.#want(subscription)
  }

  #entry(channel: string): Subscription {
    const known = this.#byChannel.get(channel)
    if (known) return known
    const subscription = newSubscription(channel)
    this.#byChannel.set(channel, subscription)
    return subscription
  }

  #forgetUnused({ channel, events, holders, state }: Subscription): void {
    if (state.name === 'off' && holders.size === 0 && !events.has()) this.#byChannel.delete(channel)
  }

  #want(subscription: Subscription): void {
    subscription.state = { name: 'wanted' }
    this.#subscribe(subscription)
  }

  #subscribe(subscription: Subscription): void {
    if (!this.#send) return
    const wanted = subscription.state
    const pending = subscription.tokens?.obtain()
    const ask = (): void => {
      // While the token came, the connection may have been lost or the channel left.
      if (subscription.state === wanted) this.#send?.({ type: 'subscribe', ...this.#ask(subscription) })
    }
    if (pending) pending.then(ask, (error: ClientError) => subscription.state === wanted && this.#failed(subscription, error))
    else ask()
  }

  #ask(subscription: Subscription): SubscriptionRequest {
    if (this.#leaving.get(subscription.channel)) this.#rejoin(subscription)
    const id = this.#requests.expect((error) => {
      if (subscription.state === asked) this.#failed(subscription, error)
    })
    const asked: SubscriptionState = { name: 'asked', id }
    subscription.state = asked
    return { ...requestOf(subscription), id }
  }

  #failed(subscription: Subscription, error: ClientError): void {
    const { tokens, retryTimer } = subscription
    clearTimeout(retryTimer)
    if (error.code.startsWith('token_') && tokens?.isRenewable && !subscription.isRenewed) this.#renew(subscription, tokens)
    else if (error.retryable) {
      subscription.state = { name: 'wanted' }
      subscription.retryTimer = setTimeout(() => this.#subscribe(subscription), this.#delay(error, ++subscription.attempt))
      subscription.events.emit('error', error)
    } else {
      // A subscribe that is refused leaves the server what it has.
      if (subscription.counterpart !== 'nothing') void this.#unsubscribe(subscription.channel)
      this.#end(subscription, error)
    }
  }

  /** The server has ended the subscription. */
  #revoked(subscription: Subscription, { code = 'disconnected', reason = code }: Unsubscribed): void {
    subscription.counterpart = 'nothing'
    if (code.startsWith('token_') && subscription.tokens?.isRenewable) this.#renew(subscription, subscription.tokens)
    else this.#end(subscription, new ClientError(code, reason))
  }

  #renew(subscription: Subscription, tokens: TokenKeeper): void {
    tokens.forget()
    subscription.isRenewed = true
    this.#want(subscription)
  }

  /** `event`: for the listeners; without one they hear what the holders do. */
  #end(
    subscription: Subscription,
    error: ClientError,
    event: UnsubscribedEvent = { code: error.code, reason: error.message },
  ): void {
    end(subscription, event, error)
    this.#forgetUnused(subscription)
  }

  /** It is not left any more; the server still has what it has not ended. */
  #rejoin(subscription: Subscription): void {
    clearTimeout(this.#leaving.get(subscription.channel))
    if (this.#leaving.delete(subscription.channel)) subscription.counterpart = 'something'
  }

  #delay({ retryAfterMs = 0 }: ClientError, attempt: number): number {
    return retryAfterMs + fullJitter(attempt, this.#backoff, Math.random())
  }

  /**
   * Asks the server to end the subscription, now or with the next connection; resolves when it has, or when there is nobody to ask. What
   * is refused for now is repeated, unless somebody has joined by then. To be called before anybody is told, who may want to join again.
   */
  #unsubscribe(channel: string): Promise<void> {
    clearTimeout(this.#leaving.get(channel))
    this.#leaving.set(channel, undefined)
    return new Promise((resolve) => {
      const send = this.#send
      if (!send) return resolve()
      const failed = (error: ClientError): void => {
        resolve()
        if (error.code === 'connection_lost') return
        const { name } = this.#byChannel.get(channel)?.state ?? { name: 'off' }
        // Who has joined meanwhile wants what the server still has.
        if (!error.retryable || name !== 'off') this.#leaving.delete(channel)
        else
          this.#leaving.set(
            channel,
            setTimeout(() => this.#unsubscribe(channel), this.#delay(error, 1)),
          )
      }
      send({ type: 'unsubscribe', channel, id: this.#requests.expect(failed, () => resolve()) })
    })
  }
}
