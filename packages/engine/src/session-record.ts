import type { SessionRecord, SubscriptionRecord } from './ports/session-store.ts'
import type { Session } from './session.ts'
import type { Subscription } from './subscription.ts'

/**
 * What another node needs to go on with the session. A subscription that has not been established is left out, unless others may see
 * it: its client asks again.
 */
export const recordOf = ({ id, resumeToken, identity, client, subscriptions }: Session): SessionRecord => {
  const records: SubscriptionRecord[] = []
  for (const subscription of subscriptions.values())
    if (subscription.isEstablished || subscription.presence.kind !== 'absent') records.push(subscriptionRecord(subscription))
  return { id, resumeToken, identity, client, subscriptions: records }
}

const subscriptionRecord = ({
  channel,
  filter,
  wantsPresence,
  presence,
  token,
  isEstablished,
}: Subscription): SubscriptionRecord => ({
  channel: channel.name,
  ...(!isEstablished && { isPending: true }),
  ...(filter && { filter }),
  ...(wantsPresence && { wantsPresence }),
  ...(presence.kind !== 'absent' && { member: presence.member }),
  ...(token && { grant: token }),
})

/** The id of the session that a resume token is the secret of: what stands before its last dot. */
export const sessionIdOf = (resumeToken: string): string => resumeToken.slice(0, Math.max(0, resumeToken.lastIndexOf('.')))
