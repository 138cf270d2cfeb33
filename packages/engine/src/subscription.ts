import type { Member, Publication } from '@fusewire/protocol'
import type { HubChannel } from './hub-channel.ts'
import type { Connection } from './ports/connection.ts'
import type { Session } from './session.ts'

/**
 * Where a subscription stands:
 *
 *      subscribe            history read
 *   ──────────▶ recovering ─────────────▶ live
 *                   ▲  │ connection lost    │ connection lost, or subscribed again
 *                   │  ▼                    │
 *                   paused ◀────────────────┘
 *
 * `recovering` keeps what is published meanwhile; `live` has its place in the channel's delivery groups; `paused` has no
 * connection: what it misses is in the channel's history.
 */
export type SubscriptionState =
  | { readonly kind: 'paused' }
  | { readonly kind: 'recovering'; readonly held: Publication[] }
  | { readonly kind: 'live'; readonly connection: Connection; index: number }

/** A session in a channel. */
export class Subscription {
  readonly session: Session
  readonly channel: HubChannel
  /** Tags that a publication must carry. */
  filter: Readonly<Record<string, string>> | undefined
  /** Whether `join` and `leave` are wanted. */
  wantsPresence = false
  /** Info from the channel token, shown in presence instead of the connection's. */
  info: unknown
  /** How it stands in presence, once it does. */
  member: Member | undefined
  /** End of the channel token in milliseconds since the epoch. */
  expiresAt: number | undefined
  state: SubscriptionState = { kind: 'paused' }

  constructor(session: Session, channel: HubChannel) {
    this.session = session
    this.channel = channel
  }

  wants(publication: Publication): boolean {
    const { filter } = this
    if (!filter) return true
    const { tags } = publication
    if (!tags) return false
    for (const name in filter) if (tags[name] !== filter[name]) return false
    return true
  }
}
