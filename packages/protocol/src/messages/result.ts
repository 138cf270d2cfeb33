import { anything, type Infer, literal, object } from '../schema.ts'
import { id } from './fields.ts'
import type { Member } from './member.ts'
import type { Position } from './position.ts'
import type { Publication } from './publication.ts'

/** Server: the answer to `publish`, `history`, `presence`, `rpc` and `refresh`. */
export const result = object({ type: literal('result') }, { id, data: anything })

export type Result = Infer<typeof result>

/** `duplicate` is true when the idempotency key had been used: `position` is then the first publication's. */
export interface PublishResult {
  readonly position: Position
  readonly duplicate?: boolean
}

export interface HistoryResult {
  /** The channel's newest position. */
  readonly position: Position
  readonly publications: readonly Publication[]
  /** Present when `since` was given: false when something after it is no longer kept. */
  readonly recovered?: boolean
}

export interface PresenceResult {
  readonly members: readonly Member[]
}

export interface RefreshResult {
  /** The new token's end in milliseconds since the epoch; absent when it has none. */
  readonly expiresAt?: number
}
