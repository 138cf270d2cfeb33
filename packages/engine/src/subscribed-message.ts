import type { Subscribed } from '@fusewire/protocol'
import type { Recovery } from './recovery.ts'

interface SubscribedDetails {
  readonly id?: number | undefined
  readonly conflated: boolean
  readonly expiresAt?: number | undefined
}

/** Tells a client that its subscription is live, and what it has missed. */
export const subscribedMessage = (
  channel: string,
  { position, recovered, publications, document }: Recovery,
  { id, conflated, expiresAt }: SubscribedDetails,
): Subscribed => ({
  type: 'subscribed',
  ...(id !== undefined && { id }),
  channel,
  position,
  ...(recovered !== undefined && { recovered }),
  ...(publications.length > 0 && { publications: [...publications] }),
  ...(document !== undefined && { document }),
  ...(conflated && { conflated }),
  ...(expiresAt !== undefined && { expiresAt }),
})
