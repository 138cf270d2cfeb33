import type { Member, Position, Publication } from '@fusewire/protocol'
import type { Place } from './delivery-group.ts'
import { NO_PLACE, type Placed } from './dense-set.ts'
import type { HeldPublications } from './held-publications.ts'
import type { HubChannel } from './hub-channel.ts'
import type { ChannelGrant } from './ports/authenticator.ts'
import type { Awaitable } from './ports/broker.ts'
import type { Connection } from './ports/connection.ts'
import type { Session } from './session.ts'
import type { Timed } from './timer-wheel.ts'

/**
 * Where a subscription stands:
 *
 *      subscribe            history read             interrupted
 *   ──────────▶ recovering ─────────────▶ live ──────────────────▶ catching
 *                 ▲  │  ▲                  │ │ ◀──────────────────    │ │
 *                 │  │  └─subscribed again─┴─│──── what was missed ───┘ │
 *         resumed │  │ connection lost       │        is read           │
 *                 │  ▼                       │ connection lost          │
 *                 paused ◀───────────────────┴──────────────────────────┘
 *
 * `recovering` keeps what is published meanwhile; `live` has its place in the channel's delivery groups; `catching` was live when
 * the broker may have missed something, and goes on from `since` together with the others of its channel; `paused` has no connection:
 * what it misses is in the channel's history.
 */
export type SubscriptionState =
  | { readonly kind: 'paused' }
  /** `before`: what it was when it was live and subscribed again. */
  | { readonly kind: 'recovering'; readonly held: HeldPublications; readonly before: Standing | undefined }
  | ({ readonly kind: 'live'; readonly connection: Connection } & Place)
  | { readonly kind: 'catching'; readonly connection: Connection; readonly since: Position }

/** The same for all. */
export const PAUSED: SubscriptionState = { kind: 'paused' }

/** How far a subscription has got, and over which connection. */
export interface Standing {
  readonly connection: Connection
  readonly position: Position
}

/**
 * Whether others see the session in the channel:
 *
 *              to be seen         the store is asked          it has it
 *     absent ─────────────▶ noted ───────────────────▶ unsure ───────────▶ present
 *                                                      taken ────────────────▲
 *
 * `noted`: the session's record names it once `recorded` has settled. `unsure`: the store may have it without anybody having been told.
 * `taken`: it was seen when its former node told of it, and may have left since.
 */
export type PresenceState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'noted'; readonly member: Member; readonly recorded: Awaitable<void> }
  | { readonly kind: 'unsure'; readonly member: Member }
  | { readonly kind: 'taken'; readonly member: Member }
  | { readonly kind: 'present'; readonly member: Member }

/** What a client asks of a subscription. */
export type Wishes = Pick<Subscription, 'filter' | 'wantsPresence'>

/** A session in a channel. */
export class Subscription implements Placed {
  readonly session: Session
  readonly channel: HubChannel
  /** Among those of its channel. */
  place = NO_PLACE
  /** Tags that a publication must carry: those of the last `subscribed`, or of what asks for the first. */
  filter: Readonly<Record<string, string>> | undefined
  /** Whether `join` and `leave` are wanted, likewise. */
  wantsPresence = false
  state: SubscriptionState = PAUSED
  /** True once a subscribe has succeeded: from then on one that fails leaves it to the next attempt. */
  isEstablished = false
  presence: PresenceState = { kind: 'absent' }
  /** What the channel token grants that it was made with. */
  token: ChannelGrant | undefined
  /** Info from the channel token, shown in presence instead of the connection's. */
  info: unknown
  /** End of the channel token in milliseconds since the epoch. */
  expiresAt: number | undefined
  /** What waits for that end. */
  expiry: Timed | undefined

  constructor(session: Session, channel: HubChannel) {
    this.session = session
    this.channel = channel
  }

  /** False once it has ended, whatever its session does in the channel now. */
  get isEntered(): boolean {
    return this.session.subscriptions.get(this.channel.name) === this
  }

  wants(publication: Publication): boolean {
    return passes(publication, this)
  }
}

/** Whether somebody with these wishes gets the publication. */
export const passes = ({ tags }: Publication, { filter }: Pick<Wishes, 'filter'>): boolean => {
  if (!filter) return true
  if (!tags) return false
  for (const name in filter) if (tags[name] !== filter[name]) return false
  return true
}
