import { type Move, move, nextMove, type TransitionTable } from './transition-table.ts'

/**
 * The life of a connection on the server:
 *
 *     silent ──heard──▶ greeted ──accepted──▶ connected
 *       │                  │                      │
 *       ├──────────────────┴──────────┬───────────┤
 *       │ dismissed, expelled, left   │           │ lost
 *       ▼                             ▼           │
 *     disconnecting ──lost──▶ disconnected ◀──────┘
 *
 * `silent`: nothing has come yet. `greeted`: something has, though no `connect` has been accepted. `connected`: it has a session.
 * `disconnecting`: the client has been told why, or has asked for it; what is queued still leaves. `disconnected`: the stream has ended.
 */
export type ConnectionPhase = 'silent' | 'greeted' | 'connected' | 'disconnecting' | 'disconnected'

/**
 * `heard`: a message, or bad input. `accepted`: its `connect` has got a session. `dismissed`: the server ends it and the client may
 * come back, with a new token where it is about that. `expelled`: the server ends it and the client is told to stop, or its token has
 * been taken back. `left`: the client says that it leaves. `lost`: the stream has ended, in whichever way.
 */
export type ConnectionEvent = 'heard' | 'accepted' | 'dismissed' | 'expelled' | 'left' | 'lost'

/**
 * `tell`: say why. `release`: no deadline and no message waits any more. `detach`: the session stays, for its client to come back to.
 * `endSession`: it ends now. `close`: the stream ends after what is queued. `forget`: the engine counts the connection no longer.
 */
export type ConnectionEffect = 'tell' | 'release' | 'detach' | 'endSession' | 'close' | 'forget'

const trying = {
  heard: move('greeted'),
  dismissed: move('disconnecting', 'tell', 'release', 'close'),
  expelled: move('disconnecting', 'tell', 'release', 'close'),
  left: move('disconnecting', 'release', 'close'),
  lost: move('disconnected', 'release', 'forget'),
} as const

const ignored = move('disconnecting')
const over = move('disconnected')

export const CONNECTION_TABLE: TransitionTable<ConnectionPhase, ConnectionEvent, ConnectionEffect> = {
  silent: { ...trying, accepted: undefined, left: undefined },
  greeted: { ...trying, accepted: move('connected') },
  connected: {
    heard: move('connected'),
    accepted: undefined,
    dismissed: move('disconnecting', 'tell', 'release', 'detach', 'close'),
    expelled: move('disconnecting', 'tell', 'release', 'endSession', 'close'),
    left: move('disconnecting', 'release', 'endSession', 'close'),
    lost: move('disconnected', 'release', 'detach', 'forget'),
  },
  // What the client sent before it heard of the end, and a second reason to end, have come too late.
  disconnecting: {
    heard: ignored,
    accepted: undefined,
    dismissed: ignored,
    expelled: ignored,
    left: ignored,
    lost: move('disconnected', 'forget'),
  },
  disconnected: { heard: over, accepted: undefined, dismissed: over, expelled: over, left: over, lost: over },
}

/** @throws for an event that cannot happen in this phase: a mistake of the caller. */
export const connectionMove = (phase: ConnectionPhase, event: ConnectionEvent): Move<ConnectionPhase, ConnectionEffect> =>
  nextMove(CONNECTION_TABLE, phase, event)
