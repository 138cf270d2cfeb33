import { type BackoffBounds, fullJitter } from './backoff.ts'
import { ClientError } from './client-error.ts'
import { Failure, lineFailure } from './failure.ts'
import type { Route } from './routes.ts'

/**
 * The life of the client's connection, as a pure function: (state, event, now, random) → next state and what to do.
 *
 *            connect             authorized             connected
 *     idle ──────────▶ authorizing ──────▶ connecting ───────────▶ connected
 *                       ▲  │  ▲             │  ▲   │                │
 *                       │  │  └─ new token ─┘  └───┘ next route     │ lost
 *                  wake │  │                       │                │
 *                online │  ▼ failed                ▼ round failed   ▼
 *                       └─ waiting ◀─────────────────────────────────
 *                       │      │ attempts used up
 *             slow wake │      ▼
 *                online └─ degraded (circuit open: probes)
 *
 *     closed: from everywhere, by `close` or a failure that trying again does not mend; `connect` starts anew. Where there is a
 *     connection, `close` leads there through closing: the server is being told.
 *
 * `idle`: nobody has asked for a connection. `authorizing`: a token is being got. `connecting`: a route is being tried. `connected`: the
 * server has accepted. `waiting`: the last round has failed, and the next one has its time. `degraded`: so many have failed that only a
 * probe is made now and then. `closing`: the server is being told. `closed`: by wish, or for a reason that trying again does not mend.
 */
export type ConnectionState =
  | { readonly name: 'idle' }
  | (Trying & { readonly name: 'authorizing' })
  /** `routes[0]` is being tried; the others of this round are left. */
  | (Trying & { readonly name: 'connecting'; readonly routes: readonly Route[] })
  | { readonly name: 'connected'; readonly attempt: number; readonly route: Route; readonly since: number }
  | (Resting & { readonly name: 'waiting' })
  | (Resting & { readonly name: 'degraded' })
  | { readonly name: 'closing' }
  | { readonly name: 'closed'; readonly error?: ClientError }

interface Trying {
  /** Rounds that have failed in a row. */
  readonly attempt: number
  /** The token has been asked for anew in this round: another refusal is final. */
  readonly renewed: boolean
  /** Deadline of this step. */
  readonly wakeAt: number
  /** Why the last try failed. */
  readonly error?: ClientError
}

interface Resting {
  readonly attempt: number
  /** Infinite while the page is suspended. */
  readonly wakeAt: number
  readonly error: ClientError
}

export type ConnectionEvent =
  /** Somebody wants a connection. */
  | { readonly type: 'connect' }
  /** Nobody wants one any more. */
  | { readonly type: 'close' }
  /** The server knows that the client leaves, or cannot be told. */
  | { readonly type: 'told' }
  /** The token is there, or none is needed; `routes` is the plan of the round, never empty. */
  | { readonly type: 'authorized'; readonly routes: readonly Route[] }
  /** The server has accepted the connection. */
  | { readonly type: 'connected' }
  /** The token could not be had, the route did not work, or the line was lost. */
  | { readonly type: 'failed'; readonly failure: Failure }
  /** `wakeAt` has come. */
  | { readonly type: 'wake' }
  /** The network came up, or changed. */
  | { readonly type: 'online' }
  /** The line may be dead without anyone having said so: the page was asleep, or the network is gone. */
  | { readonly type: 'doubt' }
  /** Connect anew, over other transports. */
  | { readonly type: 'reroute' }
  /** The page is put away; an open connection would keep it from coming back (bfcache). */
  | { readonly type: 'suspend' }

/**
 * `authorize`: get a token, and plan a round. `open`: connect over `routes[0]`. `drop`: nothing more may come of what was begun, and
 * the connection, if there is one, ends. `check`: ping now.
 */
export type Effect = 'authorize' | 'open' | 'drop' | 'check'

export interface Step {
  readonly state: ConnectionState
  readonly effects: readonly Effect[]
}

export interface ConnectionPolicy extends BackoffBounds {
  readonly maxAttempts: number
  readonly probeIntervalMs: number
  readonly connectTimeoutMs: number
  /** Whether a refused token can be replaced. */
  readonly renewable: boolean
}

/** The moment, and what chance says in [0, 1). */
export interface Circumstances {
  readonly now: number
  readonly random: number
  readonly policy: ConnectionPolicy
}

type Named<Name extends ConnectionState['name']> = Extract<ConnectionState, { name: Name }>
type Typed<Type extends ConnectionEvent['type']> = Extract<ConnectionEvent, { type: Type }>
type Row<State> = { [Type in ConnectionEvent['type']]: (state: State, event: Typed<Type>, about: Circumstances) => Step }

/** A connection that was lost sooner counts as a failed attempt: a server that accepts and drops must not be hammered. */
const STABLE_MS = 5_000
/** Within this time a client comes back that was asked to move. */
const MOVE_MS = 100
const LATE = 'no answer within connectTimeoutMs'

const stay = (state: ConnectionState): Step => ({ state, effects: [] })

const illegal = (state: ConnectionState, event: ConnectionEvent): never => {
  throw new Error(`${event.type} while ${state.name}`)
}

const check = (state: ConnectionState): Step => ({ state, effects: ['check'] })

/** With an error, the failure that keeps the client from trying on; without, the user's wish. */
const stop = (error?: ClientError): Step => ({ state: { name: 'closed', ...(error && { error }) }, effects: ['drop'] })

const close = (): Step => stop()
const leave = (): Step => ({ state: { name: 'closing' }, effects: ['drop'] })

/** A round begins anew, and with it goes whatever is left of the last. */
const authorize = (attempt: number, { now, policy }: Circumstances, error?: ClientError, renewed = false): Step => ({
  state: { name: 'authorizing', attempt, renewed, wakeAt: now + policy.connectTimeoutMs, ...(error && { error }) },
  effects: ['drop', 'authorize'],
})

const start = (_: ConnectionState, __: ConnectionEvent, about: Circumstances): Step => authorize(0, about)
const retry = (state: Named<'waiting' | 'degraded'>, _: ConnectionEvent, about: Circumstances): Step =>
  authorize(state.attempt, about, state.error)
/** Someone looks at the page again; a wait that the server has asked for goes on all the same. */
const retrySooner = (state: Named<'waiting' | 'degraded'>, event: ConnectionEvent, about: Circumstances): Step =>
  state.error.retryAfterMs === undefined ? retry(state, event, about) : stay(state)
const freshen = (state: Named<'authorizing' | 'connecting'>): Step => stay({ ...state, attempt: 0 })

const open = (state: Trying, routes: readonly Route[], { now, policy }: Circumstances, effects: readonly Effect[]): Step => ({
  state: { ...state, name: 'connecting', routes, wakeAt: now + policy.connectTimeoutMs },
  effects,
})

/** One more round has failed, or with -1 none has: back off, or open the circuit. Never sooner than the server asks for. */
const rest = (failedBefore: number, error: ClientError, { now, random, policy }: Circumstances): Step => {
  const attempt = failedBefore + 1
  const asked = error.retryAfterMs ?? 0
  const name = attempt < policy.maxAttempts ? 'waiting' : 'degraded'
  const delay =
    name === 'waiting'
      ? attempt
        ? fullJitter(attempt, policy, random)
        : MOVE_MS * random
      : policy.probeIntervalMs * (0.5 + random)
  return { state: { name, attempt, wakeAt: now + asked + Math.round(delay), error }, effects: ['drop'] }
}

const suspend = (state: Exclude<ConnectionState, { name: 'idle' | 'closing' | 'closed' }>): Step => ({
  state: {
    name: 'waiting',
    attempt: state.attempt,
    wakeAt: Number.POSITIVE_INFINITY,
    error: new ClientError('suspended', 'the page is suspended', { retryable: true }),
  },
  effects: ['drop'],
})

const authorizationFailed = (state: Trying, { failure }: Typed<'failed'>, about: Circumstances): Step =>
  failure.retryable ? rest(state.attempt, failure, about) : stop(failure)

const authorizationLate = (state: Trying, _: ConnectionEvent, about: Circumstances): Step =>
  rest(state.attempt, new Failure('transient', 'token_unavailable', LATE), about)

const routeFailed = (state: Named<'connecting'>, { failure }: Pick<Typed<'failed'>, 'failure'>, about: Circumstances): Step => {
  const { kind } = failure
  const left = state.routes.slice(1)
  if (kind === 'unreachable' && left.length > 0) return open({ ...state, error: failure }, left, about, ['drop', 'open'])
  if (kind === 'authentication' && about.policy.renewable && !state.renewed) {
    return authorize(state.attempt, about, failure, true)
  }
  return failure.retryable ? rest(state.attempt, failure, about) : stop(failure)
}

const routeLate = (state: Named<'connecting'>, _: ConnectionEvent, about: Circumstances): Step =>
  routeFailed(state, { failure: lineFailure(LATE) }, about)

const arrive = ({ attempt, routes }: Named<'connecting'>, _: ConnectionEvent, { now }: Circumstances): Step => ({
  state: { name: 'connected', attempt, route: routes[0] as Route, since: now },
  effects: [],
})

/** A token that has run out is replaced on the way back in. */
const lineLost = (state: Named<'connected'>, { failure }: Typed<'failed'>, about: Circumstances): Step => {
  if (failure.kind === 'fatal' || (failure.kind === 'authentication' && !about.policy.renewable)) return stop(failure)
  if (about.now - state.since < STABLE_MS) return rest(state.attempt, failure, about)
  // A server that leaves has chosen this moment for this client alone, and nothing has failed.
  return rest(failure.code === 'server_draining' ? -1 : 0, failure, about)
}

/** What only a state that has asked for it can be told. */
const unasked = { authorized: illegal, connected: illegal, failed: illegal, wake: illegal, told: illegal }

const outside: Row<Named<'idle' | 'closing' | 'closed'>> = {
  ...unasked,
  connect: start,
  close,
  online: stay,
  doubt: stay,
  reroute: stay,
  suspend: stay,
}

const resting: Row<Named<'waiting' | 'degraded'>> = {
  ...unasked,
  connect: start,
  close,
  wake: retry,
  online: start,
  doubt: retrySooner,
  reroute: start,
  suspend,
}

const TABLE: { readonly [Name in ConnectionState['name']]: Row<Named<Name>> } = {
  idle: outside,
  authorizing: {
    ...unasked,
    connect: stay,
    close,
    authorized: (state, { routes }, about) => open(state, routes, about, ['open']),
    failed: authorizationFailed,
    wake: authorizationLate,
    online: freshen,
    doubt: stay,
    reroute: stay,
    suspend,
  },
  connecting: {
    ...unasked,
    connect: stay,
    close: leave,
    connected: arrive,
    failed: routeFailed,
    wake: routeLate,
    online: freshen,
    doubt: stay,
    reroute: start,
    suspend,
  },
  connected: {
    ...unasked,
    connect: stay,
    close: leave,
    failed: lineLost,
    online: check,
    doubt: check,
    reroute: start,
    suspend,
  },
  waiting: resting,
  degraded: resting,
  closing: { ...outside, close: stay, told: () => stay({ name: 'closed' }) },
  closed: outside,
}

/** @throws for an event that cannot happen in this state: a mistake of the caller. */
export const transition = (state: ConnectionState, event: ConnectionEvent, about: Circumstances): Step => {
  const row = TABLE[state.name] as Row<ConnectionState>
  return row[event.type](state, event as never, about)
}
