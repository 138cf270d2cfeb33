import { type Move, move, nextMove, type TransitionTable } from '@fusewire/engine'

/**
 * How a node leaves:
 *
 *     serving ──drain──▶ announced ──time──▶ moving ──left, time──▶ ending ──gone──▶ closed
 *        │                   │                 │                      ▲
 *        └───────close───────┴──────close──────┴────────close─────────┘
 *
 * `serving`: it is ready. `announced`: readiness says no, and load balancers have `drainDelayMs` to see it; everything goes on. `moving`:
 * the port takes no more connections, and clients are told to move one by one, over `drainWindowMs`. `ending`: everyone has been told,
 * and what is under way comes to its end, until `drainTimeoutMs` after the beginning. `closed`: nobody is here, and the process may end.
 */
export type DrainState = 'serving' | 'announced' | 'moving' | 'ending' | 'closed'

/**
 * `drain`: leave well. `close`: leave now. `time`: the state's deadline has come. `left`: no client is here that has not been told.
 * `gone`: no connection is here any more.
 */
export type DrainEvent = 'drain' | 'close' | 'time' | 'left' | 'gone'

/**
 * `stop`: take no more connections. `move`: tell clients one by one. `end`: tell all others too, and let connections go as they become
 * idle. `cut`: end what is still there. `release`: give back everything else.
 */
export type DrainEffect = 'stop' | 'move' | 'end' | 'cut' | 'release'

const ending = move('ending')
const closed = move('closed')

export const DRAIN_TABLE: TransitionTable<DrainState, DrainEvent, DrainEffect> = {
  serving: {
    drain: move('announced'),
    close: move('ending', 'stop', 'end'),
    time: undefined,
    left: undefined,
    gone: undefined,
  },
  announced: {
    drain: move('announced'),
    close: move('ending', 'stop', 'end'),
    time: move('moving', 'stop', 'move'),
    left: undefined,
    gone: undefined,
  },
  moving: {
    drain: move('moving'),
    close: move('ending', 'end'),
    time: move('ending', 'end'),
    left: move('ending', 'end'),
    gone: undefined,
  },
  ending: {
    drain: ending,
    close: ending,
    time: move('ending', 'cut'),
    left: ending,
    gone: move('closed', 'release'),
  },
  closed: { drain: closed, close: closed, time: closed, left: closed, gone: closed },
}

/** @throws for an event that cannot happen in this state: a mistake of the caller. */
export const drainMove = (state: DrainState, event: DrainEvent): Move<DrainState, DrainEffect> =>
  nextMove(DRAIN_TABLE, state, event)

/** How long a node may take to leave, in milliseconds from the beginning. */
export interface DrainTimes {
  /** For load balancers to see that it is not ready. Default 0. */
  readonly drainDelayMs: number
  /** Over which clients are told to move. Default 5,000. */
  readonly drainWindowMs: number
  /** For all of it. Default 10,000. */
  readonly drainTimeoutMs: number
}

/** When the state is over, in milliseconds after the beginning; undefined where nothing is waited for. */
export const deadlineOf = (
  state: DrainState,
  { drainDelayMs, drainWindowMs, drainTimeoutMs }: DrainTimes,
): number | undefined => {
  switch (state) {
    case 'announced':
      return drainDelayMs
    case 'moving':
      return drainDelayMs + drainWindowMs
    case 'ending':
      return drainTimeoutMs
    case 'serving':
    case 'closed':
      return undefined
  }
}
