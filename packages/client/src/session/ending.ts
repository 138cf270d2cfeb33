import type { ClientError } from '../client-error.ts'
import type { Subscription, UnsubscribedEvent } from './subscription.ts'

/** Ends a subscription, whoever has: its holders and those who wait for it are told, then its listeners. */
export const end = (subscription: Subscription, event: UnsubscribedEvent, error: ClientError): void => {
  const { holders, retryTimer, tokens, state } = subscription
  clearTimeout(retryTimer)
  tokens?.pause()
  subscription.state = { name: 'off' }
  subscription.counterpart = 'nothing'
  subscription.position = subscription.document = undefined
  const ends = [...holders.values()]
  holders.clear()
  for (const onEnd of ends) onEnd?.(error)
  refuse(subscription, error)
  if (state.name !== 'off') subscription.events.emit('unsubscribed', event)
}

/** Nobody waits for it any longer. */
export const refuse = ({ waiters }: Subscription, error: ClientError): void => {
  for (const { reject } of waiters.splice(0)) reject(error)
}

/** The connection is lost: the subscription is wanted of the next one. */
export const lose = (subscription: Subscription): void => {
  const { retryTimer, tokens, state, counterpart } = subscription
  clearTimeout(retryTimer)
  tokens?.pause()
  if (state.name === 'off') return
  // An answer that is under way is lost, and nobody knows what it says.
  if (state.name === 'asked' || counterpart === 'this') subscription.counterpart = 'something'
  subscription.state = { name: 'wanted' }
}

/** The client stops: who waits is told why, and so is each holder that wants to know. What the others want is taken up again later. */
export const stop = (subscription: Subscription, error: ClientError): void => {
  const { holders } = subscription
  for (const [holder, onEnd] of [...holders]) {
    if (!onEnd) continue
    holders.delete(holder)
    onEnd(error.code === 'closed' ? undefined : error)
  }
  refuse(subscription, error)
  if (holders.size === 0) end(subscription, {}, error)
}
