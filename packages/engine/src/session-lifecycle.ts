import { type Move, move, nextMove, type TransitionTable } from './transition-table.ts'

/**
 * A client's stay, which outlives its connections:
 *
 *     connect ──▶ attached ──lost──▶ detached ──expired──▶ ended
 *                  │  ▲  ▲              │  │                 ▲
 *          resumed └──┘  └───resumed────┘  └──────left───────┤
 *                  │                                         │
 *                  └──────────────────left───────────────────┘
 *
 * Where nodes share their sessions, `taken` leads from `attached` and `detached` to `ended` too: another node goes on with it.
 *
 * `attached`: it has a connection. `detached`: its connection is lost, and its TTL runs. `ended`: for good, or on this node.
 */
export type SessionPhase = 'attached' | 'detached' | 'ended'

/**
 * `resumed`: another connection has brought the session's secret. `lost`: its connection has ended, and its client may come back.
 * `expired`: it has not, within the TTL. `left`: the client leaves, is told to stop, or the application ends the session. `taken`:
 * another node has it now, or has ended it.
 */
export type SessionEvent = 'resumed' | 'lost' | 'expired' | 'left' | 'taken'

/**
 * `pause`: its subscriptions miss what comes, which is in their channels' history. `replace`: the connection that it had is told so.
 * `wait`: its TTL begins. `stopWaiting`: the TTL has no meaning any more. `remove`: nobody finds it, its subscriptions and its presence
 * end. `letGo`: nobody finds it on this node, and its subscriptions end here without anybody being told.
 */
export type SessionEffect = 'pause' | 'replace' | 'wait' | 'stopWaiting' | 'remove' | 'letGo'

export const SESSION_TABLE: TransitionTable<SessionPhase, SessionEvent, SessionEffect> = {
  attached: {
    resumed: move('attached', 'pause', 'replace'),
    lost: move('detached', 'wait', 'pause'),
    expired: undefined,
    left: move('ended', 'remove'),
    taken: move('ended', 'letGo', 'replace'),
  },
  detached: {
    resumed: move('attached', 'stopWaiting'),
    lost: undefined,
    expired: move('ended', 'stopWaiting', 'remove'),
    left: move('ended', 'stopWaiting', 'remove'),
    taken: move('ended', 'stopWaiting', 'letGo'),
  },
  ended: { resumed: undefined, lost: undefined, expired: undefined, left: move('ended'), taken: move('ended') },
}

/** @throws for an event that cannot happen in this phase: a mistake of the caller. */
export const sessionMove = (phase: SessionPhase, event: SessionEvent): Move<SessionPhase, SessionEffect> =>
  nextMove(SESSION_TABLE, phase, event)
