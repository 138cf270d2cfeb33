import type { Connected } from '@fusewire/protocol'
import { Admission, type AdmissionLimits } from './admission.ts'
import { Attendance } from './attendance.ts'
import type { PeerLimits } from './client-peer.ts'
import { Handshake } from './handshake.ts'
import { HookNotices } from './hook-notices.ts'
import { HookQuestions, type QuestionLimits } from './hook-questions.ts'
import { Hub } from './hub.ts'
import type { Log } from './log.ts'
import type { Authenticator } from './ports/authenticator.ts'
import type { Broker } from './ports/broker.ts'
import type { Environment } from './ports/environment.ts'
import type { Hooks } from './ports/hooks.ts'
import type { PresenceStore } from './ports/presence-store.ts'
import type { Revocations } from './ports/revocations.ts'
import type { SessionStore } from './ports/session-store.ts'
import { Publisher } from './publisher.ts'
import { Revoker } from './revoker.ts'
import type { RpcRouter } from './rpc-router.ts'
import type { RuleBook } from './rule-book.ts'
import type { Session } from './session.ts'
import { SessionEnds } from './session-ends.ts'
import { SessionRequests } from './session-requests.ts'
import { SessionSweep } from './session-sweep.ts'
import { SessionUpkeep } from './session-upkeep.ts'
import { type SessionLimits, Sessions } from './sessions.ts'
import { SharedSessions } from './shared-sessions.ts'
import { Counters } from './stats.ts'
import { StoreWatch } from './store-watch.ts'
import { Subscriptions } from './subscriptions.ts'
import { TimerWheel } from './timer-wheel.ts'

export interface EngineLimits extends PeerLimits, AdmissionLimits, SessionLimits, QuestionLimits {
  /** Channels of one session. Default 128. */
  readonly maxChannelsPerSession: number
  /** How long a revocation is kept unless it says otherwise, in milliseconds: no shorter than tokens live. Default 86,400,000 (24 hours). */
  readonly revocationTtlMs: number
}

export interface EnginePorts {
  readonly broker: Broker
  readonly presence: PresenceStore
  /** The sessions of all nodes; absent where there is no other one: then a session ends with its process. */
  readonly sessionStore?: SessionStore | undefined
  readonly authenticator: Authenticator
  readonly revocations: Revocations
  readonly environment: Environment
  readonly rules: RuleBook
  readonly rpc: RpcRouter
  /** The application. */
  readonly hooks: Hooks
  readonly limits: EngineLimits
  readonly log: Log
  /** What counts as one address for `maxConnectionsPerAddress`; undefined where it is not limited. Default: each address for itself. */
  readonly addressGroup?: (address: string) => string | undefined
  /** This node's name, the program's version, and whether it runs in development mode: told to every client. */
  readonly node: Pick<Connected, 'node' | 'version' | 'development'>
}

/** What an {@link Engine} is made of. */
export interface EngineParts {
  readonly admission: Admission
  readonly counters: Counters
  readonly wheel: TimerWheel
  readonly hub: Hub
  readonly publisher: Publisher
  readonly questions: HookQuestions
  readonly sessions: Sessions
  readonly shared: SharedSessions | undefined
  readonly subscriptions: Subscriptions
  readonly handshake: Handshake
  readonly requests: SessionRequests
  readonly revoker: Revoker
}

/** How often the store of sessions is told in the TTL of a session that it is still there. */
const REFRESHES_IN_TTL = 3
/** By how much that may be late: what is kept for a client of a node that dies is its whole TTL. In milliseconds. */
const REFRESH_DELAY_MS = 1000

/** Within this time all nodes are back at a store that was away: their waits between two attempts are shorter. In milliseconds. */
const BACK_IN_MS = 10_000

/** Puts the parts together: the engine's own composition. */
export const createParts = (ports: EnginePorts): EngineParts => {
  const { broker, presence, authenticator, revocations, environment, rules, rpc, hooks, limits, log } = ports
  const now = () => environment.now()
  const counters = new Counters()
  const wheel = new TimerWheel(environment.now())
  const hub = new Hub({ broker, rules, counters, wheel, now, log })
  const publisher = new Publisher(broker, rules)
  const questions = new HookQuestions(hooks, environment, limits)
  const notices = new HookNotices(hooks, environment)
  // Those of this node tell it what has become of them.
  let shared: SharedSessions | undefined
  let upkeep: SessionUpkeep | undefined
  const attendance = new Attendance({ presence, broker, rules, log, record: (session) => upkeep?.record(session) })
  const onChanged = (session: Session): void => upkeep?.changed(session)
  const subscriptions = new Subscriptions({
    hub,
    broker,
    attendance,
    authenticator,
    questions,
    notices,
    revocations,
    rules,
    wheel,
    counters,
    maxChannelsPerSession: limits.maxChannelsPerSession,
    onChanged,
  })
  const groupOf = ports.addressGroup ?? ((address: string) => address)
  const sessions = new Sessions({
    environment,
    wheel,
    counters,
    limits,
    groupOf,
    onChanged,
    // Of a node that dies the others are to know every session, so that the application hears of its end.
    onCreated: (session) => {
      upkeep?.changed(session)
      upkeep?.hurry(session)
    },
    onDetached: (session) => upkeep?.hurry(session),
    onEnd: (session, reason) => {
      if (shared) {
        shared.ended(session, reason)
        subscriptions.letGo(session)
        return
      }
      if (reason === 'expired') counters.sessionsExpired++
      subscriptions.endAll(session)
      notices.disconnected(session, reason)
    },
    onLetGo: (session) => {
      upkeep?.forget(session)
      subscriptions.letGo(session)
    },
  })
  if (ports.sessionStore) {
    const store = ports.sessionStore
    // Stores take whole milliseconds.
    const refreshMs = Math.ceil(limits.sessionTtlMs / REFRESHES_IN_TTL)
    const ttlMs = limits.sessionTtlMs + refreshMs + REFRESH_DELAY_MS
    const watch = new StoreWatch({ now, counters, log })
    const ends = new SessionEnds({ attendance, notices, counters })
    upkeep = new SessionUpkeep({
      now,
      store,
      watch,
      attendance,
      ttlMs,
      refreshMs,
      log,
      onLost: async (ids) => shared?.letGo(ids),
    })
    const sweep = new SessionSweep({
      environment,
      store,
      watch,
      ends,
      counters,
      calmMs: Math.max(refreshMs, BACK_IN_MS),
      keeps: (record) => shared?.keeps(record) ?? false,
    })
    shared = new SharedSessions({ store, watch, upkeep, sweep, ends, sessions, subscriptions, counters, ttlMs })
  }
  const { pingIntervalMs, pongTimeoutMs, sessionTtlMs, revocationTtlMs } = limits
  const greeting = { ...ports.node, pingIntervalMs, pongTimeoutMs, sessionTtlMs }
  return {
    admission: new Admission(limits, groupOf),
    counters,
    wheel,
    hub,
    publisher,
    questions,
    sessions,
    shared,
    subscriptions,
    handshake: new Handshake({ now, authenticator, revocations, sessions, subscriptions, shared, questions, greeting }),
    requests: new SessionRequests({
      rules,
      broker,
      publisher,
      presence,
      authenticator,
      revocations,
      sessions,
      subscriptions,
      rpc,
      questions,
    }),
    revoker: new Revoker({ now, revocations, sessions, subscriptions, counters, revocationTtlMs }),
  }
}
