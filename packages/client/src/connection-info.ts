import type { Connected } from '@fusewire/protocol'
import type { ClientError } from './client-error.ts'
import type { ConnectionState } from './connection-state.ts'
import type { TransportName } from './routes.ts'
import { present } from './wire/present.ts'

/**
 * `waiting`: between attempts; `degraded`: the attempts are used up, the client tries on at a slow pace; `closing`: the server is being
 * told; `closed`: by `close`, or with an `error` that trying again does not mend.
 */
export type ConnectionStatus = 'idle' | 'connecting' | 'connected' | 'waiting' | 'degraded' | 'closing' | 'closed'

/** The connection as the client's user sees it. */
export interface ConnectionInfo {
  readonly status: ConnectionStatus
  /** Of the connection, or of the attempt that is being made. */
  readonly transport?: TransportName
  readonly endpoint?: string
  /** Number of the attempt that is being made, or waited for, from 1. */
  readonly attempt?: number
  /** When the next attempt begins, in milliseconds since the epoch. */
  readonly retryAt?: number
  /** Why the last attempt or connection failed. */
  readonly error?: ClientError
  /** The session's public identifier. */
  readonly session?: string
  /** Who the server takes this client for; absent when anonymous. */
  readonly user?: string
  /** Round trip of the last heartbeat. */
  readonly latencyMs?: number
}

/** Derives what is shown from the state machine's state. */
export const connectionInfo = (
  state: ConnectionState,
  maxAttempts: number,
  connected: Connected | undefined,
  latencyMs: number | undefined,
): ConnectionInfo => {
  const { name } = state
  if (name === 'connected') {
    return present({ status: name, ...state.route, session: connected?.session, user: connected?.user, latencyMs })
  }
  if (!('wakeAt' in state)) return present({ status: state.name, error: (state as { error?: ClientError }).error })
  const isTrying = name === 'authorizing' || name === 'connecting'
  // A probe of the open circuit is no reason to show another status.
  const status: ConnectionStatus = state.attempt >= maxAttempts ? 'degraded' : isTrying ? 'connecting' : name
  return present({
    status,
    ...(name === 'connecting' ? state.routes[0] : undefined),
    attempt: state.attempt + 1,
    retryAt: isTrying || state.wakeAt === Number.POSITIVE_INFINITY ? undefined : state.wakeAt,
    error: state.error,
  })
}
