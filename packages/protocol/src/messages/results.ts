import { array, boolean, integer, object, type Schema } from '../schema.ts'
import { type Member, member } from './member.ts'
import { type Position, position } from './position.ts'
import { type Publication, publicationFields } from './publication.ts'

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

/** What `data` of a `result` holds, by the type of the request; what an `rpc` answers is the handler's. */
export const RESULTS = {
  publish: object({ position }, { duplicate: boolean }) satisfies Schema<PublishResult>,
  history: object({ position, publications: array(publicationFields) }, { recovered: boolean }) satisfies Schema<HistoryResult>,
  presence: object({ members: array(member) }) satisfies Schema<PresenceResult>,
  refresh: object({}, { expiresAt: integer() }) satisfies Schema<RefreshResult>,
} as const
