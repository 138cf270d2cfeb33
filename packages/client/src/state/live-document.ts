import { type Member, mergePatch, type Position, type Publication } from '@fusewire/protocol'
import type { Emitter } from '../emitter.ts'
import type { SubscriptionEvents } from '../session/subscription.ts'

/** A document as of a position. */
export interface Snapshot<Document = unknown> {
  readonly position: Position
  /** Undefined while nothing has been published. */
  readonly document: Document | undefined
}

/** A document has changed. */
export interface DocumentChange {
  readonly value: unknown
  readonly previous: unknown
  readonly position: Position
  /** The merge patch that has changed it; absent when it was replaced as a whole. */
  readonly patch?: unknown
  /** Who has changed it; absent when the application did, or when it was loaded. */
  readonly sender?: Member
}

/**
 * The document of a subscription: a snapshot, and each change after it. Its values are replaced, and never changed. Everything that
 * holds the subscription shares it.
 */
export class LiveDocument {
  readonly #events: Emitter<SubscriptionEvents>
  #snapshot: Snapshot | undefined
  #isMissing: boolean

  /** `initial` is where the subscription starts from, if it does. */
  constructor(events: Emitter<SubscriptionEvents>, initial: Snapshot | undefined) {
    this.#events = events
    this.#snapshot = initial
    this.#isMissing = !initial
  }

  /** The newest that is known. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  /** The server has to be asked for the whole of it: nothing is known yet, or a change was missed. */
  get isMissing(): boolean {
    return this.#isMissing
  }

  /** The server has told the whole of it. */
  load(next: Snapshot): void {
    this.#isMissing = false
    this.#become(next)
  }

  /** A conflict has told the whole of it: ahead of the publications that are under way, or behind them. */
  catchUp(next: Snapshot): void {
    if (!this.#isPast(next.position)) this.load(next)
  }

  /** Takes a publication, unless it is in the document already. */
  follow(position: Position, { data, patch, sender }: Publication): void {
    const { position: last, document } = this.#snapshot ?? {}
    if (this.#isPast(position)) return
    // A change of another document than this one would make a third, which nobody else has.
    if (last?.epoch !== position.epoch || (patch && position.offset > last.offset + 1)) this.#isMissing = true
    if (this.#isMissing) return
    const how = { ...(patch && { patch: data }), ...(sender && { sender }) }
    this.#become({ position, document: patch ? mergePatch(document, data) : data }, how)
  }

  #isPast({ epoch, offset }: Position): boolean {
    const last = this.#snapshot?.position
    return last?.epoch === epoch && offset <= last.offset
  }

  #become(next: Snapshot, how?: Pick<DocumentChange, 'patch' | 'sender'>): void {
    const { position, document: value } = next
    const previous = this.#snapshot?.document
    this.#snapshot = next
    if (value !== previous) this.#events.emit('change', { value, previous, position, ...how })
  }
}
