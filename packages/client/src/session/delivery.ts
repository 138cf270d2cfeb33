import type { Position, Publication, PublicationMessage, Subscribed } from '@fusewire/protocol'
import type { SubscribedEvent, Subscription, SubscriptionState } from './subscription.ts'

/** Where delivery goes on after a `subscribed`: after what was delivered last, or before what it brings. */
const startOf = (last: Position | undefined, { position, publications: [first] = [] }: Subscribed): Position => {
  if (!first) return position
  return last?.epoch === position.epoch ? last : { epoch: position.epoch, offset: first.offset - 1 }
}

/** A publication goes to the listeners unless they have had it. The position moves first: a listener may ask for it. */
const tell = (subscription: Subscription, publication: Publication): void => {
  const { position } = subscription
  if (position && publication.offset <= position.offset) return
  if (position) {
    subscription.position = { epoch: position.epoch, offset: publication.offset }
    subscription.document?.follow(subscription.position, publication)
  }
  subscription.events.emit('publication', publication)
}

/** Delivers a publication as it came from the server. */
export const deliver = (subscription: Subscription, { type: _, channel: __, ...publication }: PublicationMessage): void =>
  tell(subscription, publication)

/** The server has answered `subscribed`: what was missed is delivered, as long as no listener ends the subscription. */
export const goLive = (subscription: Subscription, message: Subscribed): void => {
  const { position, recovered = false, publications = [] } = message
  const event: SubscribedEvent = { position, recovered, wasRecovering: subscription.position !== undefined }
  const live: SubscriptionState = { name: 'live', event }
  subscription.state = live
  subscription.counterpart = 'this'
  subscription.position = startOf(subscription.position, message)
  subscription.attempt = 0
  subscription.isRenewed = false
  subscription.tokens?.accepted(message.expiresAt)
  if (!recovered) subscription.document?.load({ position, document: message.document })
  if (!subscription.document?.isMissing) for (const { resolve } of subscription.waiters.splice(0)) resolve(event)
  subscription.events.emit('subscribed', event)
  for (const publication of publications) if (subscription.state === live) tell(subscription, publication)
  if (subscription.state === live) subscription.position = position
}
