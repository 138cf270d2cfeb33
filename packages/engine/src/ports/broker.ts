import type { Member, Position, Publication } from '@fusewire/protocol'

/** A value now, or later: the in-process broker answers at once and spares the hot path a promise. */
export type Awaitable<T> = T | Promise<T>

/** A publication before the broker has given it its offset and time. */
export interface PublicationDraft {
  readonly data: unknown
  readonly tags?: Record<string, string>
  readonly sender?: Member
}

export interface PublishOptions {
  /** Publications kept; 0 keeps none. */
  readonly historySize: number
  /** How long they are kept, in milliseconds. */
  readonly historyTtlMs: number
  /** A second publish with the same key in the same channel, within the broker's idempotency window, MUST change nothing. */
  readonly idempotencyKey?: string
}

export interface Published {
  readonly position: Position
  /** True when the idempotency key had been used; `position` is then that of the first publication. */
  readonly duplicate: boolean
}

export interface HistoryQuery {
  readonly since?: Position
  /** Publications at most; all when absent. */
  readonly limit?: number
  /** Newest first. */
  readonly reverse?: boolean
}

export interface HistoryPage {
  /** The channel's newest position at the moment of reading. */
  readonly position: Position
  readonly publications: readonly Publication[]
  /** False when `since` is of another epoch, ahead of the newest offset, or something after it is no longer kept. True without `since`. */
  readonly complete: boolean
}

/** What a broker tells its node. */
export interface BrokerListener {
  /** MUST be called once for each publication of a channel of interest, in the order of its offsets, before `publish` answers its caller on this node. */
  publication(channel: string, publication: Publication): void
}

/**
 * What carries and keeps publications. Errors MUST be {@link FusewireError}s, `broker_unavailable` when the broker is away. Calls for
 * one channel MUST take effect in the order in which they are made, whether or not the caller has waited for the one before.
 */
export interface Broker {
  /** MUST be called once, before anything else. */
  start(listener: BrokerListener): Awaitable<void>
  publish(channel: string, draft: PublicationDraft, options: PublishOptions): Awaitable<Published>
  /** Publications of the channel MUST reach the listener from the moment this answers until {@link Broker.unsubscribe}. */
  subscribe(channel: string): Awaitable<void>
  unsubscribe(channel: string): Awaitable<void>
  history(channel: string, query: HistoryQuery): Awaitable<HistoryPage>
  /** Forgets the publications; offsets go on, so that a client that misses some is told. */
  clearHistory(channel: string): Awaitable<void>
  close(): Awaitable<void>
}
