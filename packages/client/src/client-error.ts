import type { ErrorCode, Position } from '@fusewire/protocol'

/** What can go wrong in the client itself; every other code is the server's, see the protocol's error table. */
export type LocalErrorCode =
  /** The client was closed while the request waited. */
  | 'closed'
  /** There is no connection, and `whenOffline` is `refuse`. */
  | 'offline'
  /** `maxQueuedRequests` requests wait already. */
  | 'queue_full'
  /** The line was cut after the request was sent: it is not known whether it was carried out. */
  | 'connection_lost'
  /** Nothing that speaks Fusewire answers at this endpoint over this transport. */
  | 'unreachable'
  /** The page is put away by the browser and comes back later. */
  | 'suspended'
  /** `getToken` failed; the cause is what it threw. */
  | 'token_unavailable'
  /** A `for await` loop is slower than its channel and `maxBufferedPublications` wait. */
  | 'buffer_overrun'
  /** The channel is already subscribed with other options. */
  | 'options_conflict'

/**
 * What to do about a connection that failed or was lost: `transient`, back off and try again; `authentication`, ask for a new
 * token once; `unreachable`, try the next endpoint, then the next transport; `fatal`, stop.
 */
export type FailureKind = 'transient' | 'authentication' | 'unreachable' | 'fatal'

interface ErrorDetails {
  readonly retryable?: boolean
  readonly retryAfterMs?: number | undefined
  readonly position?: Position
  readonly document?: unknown
  readonly cause?: unknown
}

/** An error of the client or of the server. Branch on `code`; `message` is for people. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  declare readonly code: ErrorCode | LocalErrorCode | (string & {})
  /** True when the same call can succeed later, unchanged. */
  declare readonly retryable: boolean
  /** How long the server asks to wait before that. */
  declare readonly retryAfterMs: number | undefined
  /** With `conflict`: the channel's newest position. */
  declare readonly position: Position | undefined
  /** With `conflict`, in a state channel: the document there; undefined when there is none. */
  declare readonly document: unknown
  /** What the client does about it; absent when it is not about the connection. `authentication` is a security event. */
  declare readonly kind?: FailureKind

  constructor(code: ErrorCode | LocalErrorCode | (string & {}), message: string, options: ErrorDetails = {}) {
    super(message, options)
    this.code = code
    this.retryable = options.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
    this.position = options.position
    this.document = options.document
  }
}

export const closed = (): ClientError => new ClientError('closed', 'the client was closed')
