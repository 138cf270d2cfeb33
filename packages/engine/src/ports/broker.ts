import type { Join, Leave, Member, Position, Publication } from '@fusewire/protocol'
import type { ConflictError } from '../conflict-error.ts'

/** A value now, or later: the in-process broker answers at once and spares the hot path a promise. */
export type Awaitable<T> = T | Promise<T>

/** A publication before the broker has given it its offset and time. */
export interface PublicationDraft {
  readonly data: unknown
  readonly tags?: Record<string, string>
  readonly sender?: Member
  /** `data` is a JSON merge patch (RFC 7396) of the channel's document; only together with {@link PublishOptions.state}. */
  readonly patch?: true
}

/** How a channel keeps its document. */
export interface DocumentOptions {
  /** How long the document is kept after its last change, in milliseconds. */
  readonly ttlMs: number
  /** Size of the document, in bytes of JSON (see `jsonSize`). */
  readonly maxDocumentBytes: number
}

/**
 * How to publish. A broker MUST check in this order: a repeated key gets the first answer, then `ifPosition`, then the document's
 * size; what is refused MUST change nothing.
 */
export interface PublishOptions {
  /** Publications kept; 0 keeps none. */
  readonly historySize: number
  /** How long they are kept, in milliseconds. */
  readonly historyTtlMs: number
  /** What they may take together, in bytes of JSON (`jsonSize` of their drafts); the oldest are dropped first. */
  readonly historyBytes: number
  /** A second publish with the same key in the same channel, within the broker's idempotency window, MUST change nothing. */
  readonly idempotencyKey?: string
  /** MUST be refused with a {@link ConflictError} unless it is the channel's newest position; decided together with publishing. */
  readonly ifPosition?: Position
  /**
   * Keep the document that the publications make: `data` takes its place, or is merged into it when the draft is a `patch`, in one
   * step with publishing. `document_too_large` when it would grow too large. Without this the channel has no document any more.
   */
  readonly state?: DocumentOptions
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

/** A channel's document and the position that it has been brought to, read in one step. */
export interface ChannelState {
  /** The channel's newest position. */
  readonly position: Position
  /** Absent when there is none; `null` is a document. */
  readonly document?: unknown
  /** When it was changed last, in milliseconds since 1970; absent without a document. */
  readonly time?: number
}

/** Who comes and goes; it has no offset and is not kept. */
export type Announcement = Join | Leave

/** What a broker tells its node. It MAY call from within a call of its own methods. */
export interface BrokerListener {
  /**
   * MUST be called once for each publication of a channel of interest, in the order of its offsets, before `publish` answers its
   * caller on this node. `epoch` is the one that its offset belongs to.
   */
  publication(channel: string, publication: Publication, epoch: string): void
  /**
   * MUST be called when publications of a channel of interest may have been missed, and when its epoch has changed: after that, what
   * is published reaches the listener again, so that `history` and what is heard from now on leave no gap. It MAY be called too often.
   */
  interrupted(channel: string): void
  /** Somebody has come to a channel of interest, or has gone: once for each {@link Broker.announce}, of whichever node. */
  announcement(message: Announcement): void
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
  /**
   * Tells every node that is interested in the channel, this one too. Announcements of one node in one channel keep their order. They
   * MAY be lost while a node is cut off: who must know reads the presence store.
   */
  announce(message: Announcement): Awaitable<void>
  history(channel: string, query: HistoryQuery): Awaitable<HistoryPage>
  /** MUST be consistent: the document is what all publications up to the position have made. */
  state(channel: string): Awaitable<ChannelState>
  /** Forgets the publications, and keeps the document; offsets go on, so that a client that misses some is told. */
  clearHistory(channel: string): Awaitable<void>
  /**
   * Forgets the document, and the publications that have made it. The channel MUST begin another epoch, so that whoever has a copy is
   * told ({@link BrokerListener.interrupted}); the same happens when a document's TTL ends. False when there is no document.
   */
  removeDocument(channel: string): Awaitable<boolean>
  close(): Awaitable<void>
}
