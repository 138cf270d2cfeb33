import type { Position, Publication } from '@fusewire/protocol'
import type { KeptDocument } from './kept-document.ts'

/** A channel's stream without its publications, which follow it in the snapshot. */
export interface StreamRecord {
  readonly kind: 'stream'
  readonly channel: string
  readonly epoch: string
  readonly offset: number
  readonly usedAt: number
  readonly historyTtlMs: number
  readonly document?: KeptDocument
}

/** A publication of the stream that comes before it, oldest first. */
export interface PublicationRecord {
  readonly kind: 'publication'
  readonly publication: Publication
  /** What it counts for in the history's bytes. */
  readonly bytes: number
}

/** What a memory broker holds, in records that are plain values but for what was published, which may have byte arrays in it. */
export type SnapshotRecord =
  /** Where epochs come from. */
  | { readonly kind: 'life'; readonly life: string; readonly generation: number }
  /** An idempotency key, in the order in which they expire. */
  | { readonly kind: 'key'; readonly key: string; readonly position: Position; readonly expiresAt: number }
  | StreamRecord
  | PublicationRecord
