import type { ErrorCode, Position } from '@fusewire/protocol'
import type { Capability } from '../access.ts'
import type { SessionEnd } from '../session.ts'
import type { TransportName } from './connection.ts'

/**
 * The events that the application decides, each with the codes with which it may refuse: the first one stands where its answer
 * names none. Those that say that a token is wrong, and `connection_refused`, end a connection that is being made.
 */
export const DENIAL_CODES = {
  connect: ['connection_refused', 'token_required', 'token_invalid', 'token_expired', 'token_revoked', 'overloaded'],
  refresh: ['token_revoked', 'token_expired', 'token_invalid'],
  subscribe: ['permission_denied', 'not_found', 'rate_limited', 'overloaded'],
  publish: ['permission_denied', 'not_found', 'invalid_field', 'rate_limited', 'overloaded'],
  rpc: ['permission_denied', 'method_not_found', 'not_found', 'invalid_field', 'rate_limited', 'overloaded'],
} as const satisfies Record<string, readonly ErrorCode[]>

/** An event that the application decides: the client waits for its answer. */
export type DecidingEvent = keyof typeof DENIAL_CODES

/** An event that the application hears of when it has happened. */
export type InformingEvent = keyof Notices

export type HookEvent = DecidingEvent | InformingEvent

export type DenialCode<E extends DecidingEvent> = (typeof DENIAL_CODES)[E][number]

/** What a client's last connection said about itself. */
export interface ClientDetails {
  readonly transport: TransportName
  readonly remoteAddress: string
  /** Name and version of the program, as its `connect` gave them. */
  readonly name?: string
  readonly version?: string
}

/** Common to everything that the application is asked and told. */
interface Event<E extends HookEvent> {
  readonly event: E
  /** Unique over all nodes; the same when the event is told again. */
  readonly id: string
  /** When it happened, in milliseconds since 1970. */
  readonly time: number
}

/** Common to what is about a client. */
interface ClientEvent<E extends HookEvent> extends Event<E>, ClientDetails {
  /** Public id of the session; absent while there is none. */
  readonly session?: string
  /** Absent when anonymous. */
  readonly user?: string
  readonly info?: unknown
}

/** A client connects, or comes back to its session. */
export interface ConnectQuestion extends ClientEvent<'connect'> {
  /** Present when the server has no keys for it: the answer says who it is. */
  readonly token?: string
}

/** A client has sent a newer token. */
export interface RefreshQuestion extends ClientEvent<'refresh'> {
  /** Present when it is the token of a subscription. */
  readonly channel?: string
  /** Present when the server has no keys for it. */
  readonly token?: string
  /** End of the newer token, in milliseconds since 1970. */
  readonly expiresAt?: number
}

/** A client enters a channel that the rules open to it. */
export interface SubscribeQuestion extends ClientEvent<'subscribe'> {
  readonly channel: string
}

/** A client publishes where the rules let it. */
export interface PublishQuestion extends ClientEvent<'publish'> {
  readonly channel: string
  readonly data: unknown
  readonly tags?: Readonly<Record<string, string>>
  /** Idempotency key. */
  readonly key?: string
  /** True when `data` is a merge patch (RFC 7396). */
  readonly patch?: boolean
  readonly ifPosition?: Position
}

/** A client calls a function that the embedding program does not have. */
export interface RpcQuestion extends ClientEvent<'rpc'> {
  readonly method: string
  readonly data?: unknown
}

export interface Questions {
  readonly connect: ConnectQuestion
  readonly refresh: RefreshQuestion
  readonly subscribe: SubscribeQuestion
  readonly publish: PublishQuestion
  readonly rpc: RpcQuestion
}

/** The application refuses. */
export interface Denial<E extends DecidingEvent> {
  readonly decision: 'deny'
  readonly code?: DenialCode<E>
  /** For people; the client sees it. */
  readonly message?: string
}

/** What takes the place of what the token says; absent: it stays. */
export interface ConnectPermission {
  readonly decision: 'allow'
  readonly user?: string
  readonly info?: unknown
  /** Milliseconds since 1970. */
  readonly expiresAt?: number
  readonly capabilities?: readonly Capability[]
  /** Channels that the session is subscribed to at connect. */
  readonly channels?: readonly string[]
}

export interface RefreshPermission {
  readonly decision: 'allow'
  readonly info?: unknown
  readonly expiresAt?: number
}

export interface SubscribePermission {
  readonly decision: 'allow'
  /** Shown to others in this channel's presence. */
  readonly info?: unknown
  /** When the subscription ends unless its client refreshes it, in milliseconds since 1970. */
  readonly expiresAt?: number
}

export interface PublishPermission {
  readonly decision: 'allow'
  /** Published in place of what the client sent. */
  readonly data?: unknown
  readonly tags?: Readonly<Record<string, string>>
}

/** The application has taken it: nothing is published, and the client hears of no failure. */
export interface PublishSkip {
  readonly decision: 'skip'
}

export interface RpcPermission {
  readonly decision: 'allow'
  readonly data?: unknown
}

export interface Answers {
  readonly connect: ConnectPermission | Denial<'connect'>
  readonly refresh: RefreshPermission | Denial<'refresh'>
  readonly subscribe: SubscribePermission | Denial<'subscribe'>
  readonly publish: PublishPermission | PublishSkip | Denial<'publish'>
  readonly rpc: RpcPermission | Denial<'rpc'>
}

/** Why a subscription has ended: by its client, at the end of its token, by the application, or with its session. */
export type UnsubscribeReason = 'unsubscribed' | 'token_expired' | 'token_revoked' | 'disconnected' | 'session_ended'

/** A session has ended for good; the loss of a connection alone is none. */
export interface DisconnectNotice extends ClientEvent<'disconnect'> {
  readonly reason: SessionEnd
}

/** A subscription has ended. */
export interface UnsubscribeNotice extends ClientEvent<'unsubscribe'> {
  readonly channel: string
  readonly reason: UnsubscribeReason
}

/** The first subscription of a channel on this node. */
export interface ChannelOccupiedNotice extends Event<'channel_occupied'> {
  readonly channel: string
}

/** The last subscription of a channel on this node has ended. */
export interface ChannelVacatedNotice extends Event<'channel_vacated'> {
  readonly channel: string
}

export interface Notices {
  readonly disconnect: DisconnectNotice
  readonly unsubscribe: UnsubscribeNotice
  readonly channel_occupied: ChannelOccupiedNotice
  readonly channel_vacated: ChannelVacatedNotice
}

export type Question = Questions[DecidingEvent]
export type Notice = Notices[InformingEvent]

/**
 * The application behind the server, in this process or beyond a network: what it decides, and what it hears of. The engine asks
 * after its own rules have allowed, so that an answer can only narrow them.
 */
export interface Hooks {
  /**
   * Whether the application has a hook for this event, in this channel where the event has one. MUST answer from memory and allocate
   * nothing: it is asked for every publish.
   */
  takes(event: HookEvent, channel?: string): boolean
  /**
   * MUST be called only for events that it takes. MUST settle within a time limit, and MUST hold the number of questions that wait
   * within one. Answers MUST be complete and well-formed. Rejects with a {@link FusewireError}: `hook_unavailable` when the
   * application cannot be asked, `overloaded` when too many questions wait.
   */
  ask<E extends DecidingEvent>(question: Questions[E]): Promise<Answers[E]>
  /**
   * Queues what has happened; MUST NOT throw or wait. Every notice MUST reach each hook that takes it at least once, in the order of
   * the calls, unless it has waited longer, or behind more, than configured; what is dropped MUST be counted.
   */
  tell(notice: Notice): void
  /** Waits until everything told so far has arrived, for `timeoutMs` at most. Never rejects. */
  flush(timeoutMs: number): Promise<void>
  /** Refuses questions from now on and drops what has not been told; idempotent. */
  close(): Promise<void>
}
