import type { Member } from '@fusewire/protocol'
import type { ChannelGrant, Identity } from './authenticator.ts'
import type { Awaitable } from './broker.ts'
import type { ClientDetails } from './hooks.ts'

/** What another node needs to go on with a subscription. */
export interface SubscriptionRecord {
  readonly channel: string
  /** Its client has not been told of it yet. */
  readonly isPending?: true
  /** Tags that a publication must carry. */
  readonly filter?: Readonly<Record<string, string>>
  /** Whether `join` and `leave` are wanted. */
  readonly wantsPresence?: true
  /** How others see it in the channel, or are about to; absent when they do not. */
  readonly member?: Member
  /** What its channel token grants. */
  readonly grant?: ChannelGrant
}

/** What another node needs to go on with a session. Plain data that JSON can carry. */
export interface SessionRecord {
  readonly id: string
  /** Secret; whoever holds it is this session. */
  readonly resumeToken: string
  readonly identity: Identity
  /** Of its last connection. */
  readonly client: ClientDetails
  readonly subscriptions: readonly SubscriptionRecord[]
}

/** What a refresh has found out about sessions that this node believed to be its own. */
export interface RefreshResult {
  /** Another node has taken them, or has ended them or is about to. */
  readonly lost: readonly string[]
  /** The store knows nothing of them: it has lost what it had, and they are to be put again. */
  readonly unknown: readonly string[]
}

export interface SessionStoreListener {
  /** The session is this node's no more: another one has taken it. MAY come late or not at all; {@link SessionStore.refresh} is certain. */
  lost(session: string): void
  /**
   * {@link SessionStore.expired} has something to give out now. MAY come late, in vain, or not at all: whoever sweeps finds it. SHOULD come
   * no more than ten times a second, since whoever is told asks for all there is.
   */
  due(): void
}

/**
 * The sessions of all nodes. Each belongs to the node that put, took or was given it last:
 *
 *               take                 TTL ends                  `expired`
 *               ┌──┐   ┌──────────────────────────▶ lapsed ─────────────▶ ending ──┐ the lease has passed: `expired` again
 *               │  ▼   │                              │                    │ ▲     │
 *     put ────▶ kept ──┘ ◀──put, refresh, take────────┘                    │ └─────┘
 *                │                                                         │
 *                └──────────────── remove ────▶ gone ◀───── remove ────────┘
 *
 * That its TTL has ended means only that {@link SessionStore.expired} may give it out: its own node may still refresh it, and any node
 * find and take it. Once it is `ending` nobody finds it any more; only the node that it was given to may remove it or, where it turns
 * out to live there, put or refresh it, as if nothing had been.
 *
 * Calls for one session MUST take effect in the order in which they are made. Errors MUST be {@link FusewireError}s,
 * `broker_unavailable` when the store is away; a call that is refused may have taken effect.
 */
export interface SessionStore {
  /** MUST be called once, before anything else. */
  start(listener: SessionStoreListener): Awaitable<void>
  /**
   * Keeps what is known of sessions of this node, and their TTL begins anew. Answers with the ids of those that belong to another node
   * or have left a trace: nothing is kept of them. What the store does not know becomes this node's.
   */
  put(records: readonly SessionRecord[], ttlMs: number): Awaitable<readonly string[]>
  /** Their TTL begins anew, where they are this node's. */
  refresh(ids: readonly string[], ttlMs: number): Awaitable<RefreshResult>
  /** Whoever has it; undefined when there is none, or when it is being ended. */
  find(id: string): Awaitable<SessionRecord | undefined>
  /** Makes it this node's, and its TTL begins anew; its former node hears that it is lost. Undefined where {@link SessionStore.find} says so. */
  take(id: string, ttlMs: number): Awaitable<SessionRecord | undefined>
  /**
   * Ends sessions that are this node's. Answers with those that this call has ended: of all calls on all nodes one is told so of each
   * session. One that has ever belonged to more than one node MUST leave a trace for `traceMs` of the store, at least ten minutes, so
   * that a former node, which may have been cut off all the while, cannot put it again unawares.
   */
  remove(ids: readonly string[]): Awaitable<readonly string[]>
  /**
   * Makes up to `limit` sessions, of whichever node, whose TTL has ended, this node's to end. Nobody else is given them for `leaseMs`;
   * those that have not been removed by then are given out again. MUST reject while nobody can refresh, though there be nothing to give,
   * or `limit` be 0: whoever sweeps is to know that others could not. Where there is nothing to give it MAY find that out up to 3 seconds
   * late.
   */
  expired(limit: number, leaseMs: number): Awaitable<readonly SessionRecord[]>
  /** Ends this node's part. The sessions stay. */
  close(): Awaitable<void>
}
