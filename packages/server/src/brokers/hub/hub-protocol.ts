import {
  type Announcement,
  type ChannelState,
  ConflictError,
  type HistoryPage,
  type HistoryQuery,
  type Published,
  type PublishOptions,
  type RefreshResult,
  type Revocation,
  type SessionRecord,
} from '@fusewire/engine'
import { type ErrorCode, FusewireError, type Member } from '@fusewire/protocol'

/** A revocation and its end, in milliseconds since the epoch. */
export type RevocationEntry = readonly [revocation: Revocation, expiresAt: number]

/**
 * What a worker asks of the hub, by name. Questions are answered in their order, by `ok` and the answer, or `no` and a {@link Refusal},
 * so that they need no numbers.
 */
export interface HubOperations {
  /** The draft comes last, as MessagePack of its own: the hub hands it on as it is. */
  'broker.publish': (channel: string, options: PublishOptions, draft: Uint8Array) => Published
  'broker.subscribe': (channel: string) => void
  'broker.unsubscribe': (channel: string) => void
  'broker.announce': (message: Announcement) => void
  'broker.history': (channel: string, query: HistoryQuery) => HistoryPage
  'broker.state': (channel: string) => ChannelState
  'broker.clearHistory': (channel: string) => void
  'broker.removeDocument': (channel: string) => boolean
  'presence.add': (channel: string, member: Member) => boolean
  'presence.remove': (channel: string, session: string) => boolean
  'presence.refresh': (channel: string, members: readonly Member[]) => void
  'presence.list': (channel: string) => readonly Member[]
  'presence.count': (channel: string) => { sessions: number; users: number }
  /** Everything in force; what is revoked from now on is told. */
  'revocations.start': () => readonly RevocationEntry[]
  'revocations.revoke': (revocation: Revocation, expiresAt: number) => void
  'sessions.start': (node: string) => void
  'sessions.put': (records: readonly SessionRecord[], ttlMs: number) => readonly string[]
  'sessions.refresh': (ids: readonly string[], ttlMs: number) => RefreshResult
  /** Null where there is none. */
  'sessions.find': (id: string) => SessionRecord | null
  'sessions.take': (id: string, ttlMs: number) => SessionRecord | null
  'sessions.remove': (ids: readonly string[]) => readonly string[]
  'sessions.expired': (limit: number, leaseMs: number) => readonly SessionRecord[]
  'bus.start': (node: string) => void
  /** `to` is null for all others. */
  'bus.send': (payload: Uint8Array, to: string | null) => void
}

export type HubOperation = keyof HubOperations

/** What the hub tells a worker unasked, by name. */
export interface HubNews {
  publication: readonly [channel: string, epoch: string, offset: number, time: number, draft: Uint8Array]
  interrupted: readonly [channel: string]
  announcement: readonly [message: Announcement]
  revoked: RevocationEntry
  lost: readonly [session: string]
  bus: readonly [payload: Uint8Array]
}

/** An error on its way to the worker that has asked. */
export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly retryAfterMs?: number
  /** Of a {@link ConflictError}. */
  readonly state?: ChannelState
}

export const refusalOf = (error: unknown): Refusal => {
  if (error instanceof ConflictError) return { code: error.code, message: error.message, state: error.state }
  if (!(error instanceof FusewireError))
    return { code: 'internal_error', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  const { code, message, retryAfterMs } = error
  return { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

export const errorOf = ({ code, message, retryAfterMs, state }: Refusal): FusewireError =>
  state ? new ConflictError(state) : new FusewireError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs })
