import { type DisconnectCode, FusewireError } from '@fusewire/protocol'
import type { AdmissionLimits } from './admission.ts'
import { isSameSecret } from './is-same-secret.ts'
import { KeyedSets } from './keyed-sets.ts'
import type { Identity } from './ports/authenticator.ts'
import type { Environment } from './ports/environment.ts'
import type { ClientDetails } from './ports/hooks.ts'
import type { SessionRecord } from './ports/session-store.ts'
import { Session, type SessionEnd, type SessionLink } from './session.ts'
import { type SessionEffect, type SessionEvent, sessionMove } from './session-lifecycle.ts'
import { sessionIdOf } from './session-record.ts'
import type { Counters } from './stats.ts'
import type { TimerWheel } from './timer-wheel.ts'
import { WaitingSessions } from './waiting-sessions.ts'

/** Which sessions an application means. */
export type Target = { readonly user: string } | { readonly session: string }

export interface SessionLimits {
  /** How long a session outlives its connection, in milliseconds. Default 60,000. */
  readonly sessionTtlMs: number
  /** Connections of one user, and sessions together with those that wait for their client. Default 1,000. */
  readonly maxConnectionsPerUser: number
}

export interface SessionsPorts {
  readonly environment: Environment
  readonly wheel: TimerWheel
  readonly counters: Counters
  readonly limits: SessionLimits & AdmissionLimits
  /** What counts as one address; undefined where it is not limited. */
  readonly groupOf: (address: string) => string | undefined
  /** Called with a session that has begun. */
  readonly onCreated: (session: Session) => void
  /** Called when another node has to know otherwise of a session than it did. */
  readonly onChanged: (session: Session) => void
  /** Called with a session that has lost its connection. */
  readonly onDetached: (session: Session) => void
  /** Called with a session that has ended. */
  readonly onEnd: (session: Session, reason: SessionEnd) => void
  /** Called with a session that another node has. */
  readonly onLetGo: (session: Session) => void
}

/** When a user who has too many connections may try again: by then sessions have been given up. */
const TOO_MANY_FOR_MS = 10_000

/** The sessions of this node, attached and detached. */
export class Sessions {
  readonly #byId = new Map<string, Session>()
  readonly #byUser = new KeyedSets<Session>()
  readonly #byTokenId = new KeyedSets<Session>()
  readonly #ports: SessionsPorts
  readonly #waiting: WaitingSessions

  constructor(ports: SessionsPorts) {
    this.#ports = ports
    const { environment, wheel, limits, groupOf } = ports
    this.#waiting = new WaitingSessions({
      now: () => environment.now(),
      wheel,
      limits,
      groupOf,
      onExpired: (session) => this.#expire(session),
    })
  }

  get size(): number {
    return this.#byId.size
  }

  get detachedCount(): number {
    return this.#waiting.size
  }

  /** Throws `too_many_connections` for one too many of its user. */
  create(identity: Identity, link: SessionLink, client: ClientDetails): Session {
    this.makeRoom(identity.user)
    const id = this.#ports.environment.id()
    const session = new Session(id, `${id}.${this.#ports.environment.secret()}`, identity, link, client)
    this.#add(session)
    this.#ports.counters.sessionsCreated++
    this.#ports.onCreated(session)
    return session
  }

  /** One that another node had: it waits for its client. */
  adopt({ id, resumeToken, identity, client }: Omit<SessionRecord, 'subscriptions'>): Session {
    const session = new Session(id, resumeToken, identity, undefined, client)
    this.#add(session)
    this.#ports.counters.sessionsTaken++
    this.#wait(session)
    return session
  }

  byResumeToken(token: string): Session | undefined {
    const session = this.#byId.get(sessionIdOf(token))
    return session && isSameSecret(session.resumeToken, token) ? session : undefined
  }

  find(target: Target): readonly Session[] {
    if ('user' in target) return this.#byUser.get(target.user)
    const session = this.#byId.get(target.session)
    return session ? [session] : []
  }

  /** Those whose token has this id. */
  withToken(tokenId: string): readonly Session[] {
    return this.#byTokenId.get(tokenId)
  }

  /** A newer token of the same user takes the place of the old one. */
  renew(session: Session, identity: Identity): void {
    this.#byTokenId.delete(session.identity.tokenId, session)
    session.renew(identity)
    this.#byTokenId.add(identity.tokenId, session)
    this.#ports.onChanged(session)
  }

  /** Gives the session to a new link. The one it was attached to is told that it has been replaced. */
  attach(session: Session, link: SessionLink, client: ClientDetails): void {
    this.#ports.counters.sessionsResumed++
    this.#move(session, 'resumed', { link })
    // Until then it waits for the address of its last connection.
    session.client = client
    this.#ports.onChanged(session)
  }

  /** The link has been lost: the session stays, without delivery, until its TTL ends. Nothing happens when it has another link by now. */
  detach(session: Session, link: SessionLink): void {
    if (session.link !== link) return
    this.#move(session, 'lost')
    this.#ports.onDetached(session)
  }

  /** The clock has leaped, and nobody knows how long the detached sessions have waited: their TTL begins again. */
  restartClock(now: number): void {
    this.#waiting.restartClock(now)
  }

  /** Ends the session for good. Idempotent. */
  end(session: Session, reason: SessionEnd): void {
    this.#move(session, 'left', { reason })
  }

  /** Ends every session: they live in this process alone, and it goes. */
  endAll(reason: SessionEnd): void {
    for (const session of [...this.#byId.values()]) this.end(session, reason)
  }

  /** Another node has it, or has ended it: here nothing is left of it. `code` is for the client that is still here. Idempotent. */
  letGo(session: Session, code: DisconnectCode): void {
    this.#move(session, 'taken', { code })
  }

  /** This node goes, and its sessions stay for the others. */
  letGoAll(): void {
    for (const session of [...this.#byId.values()]) this.letGo(session, 'server_draining')
  }

  /**
   * A client that does not resume leaves sessions behind; they go first. Throws `too_many_connections` where that does not make room for
   * one more of the user.
   */
  makeRoom(user: string | undefined): void {
    const { maxConnectionsPerUser } = this.#ports.limits
    if (user === undefined || this.#byUser.countOf(user) < maxConnectionsPerUser) return
    const left = this.#byUser.get(user).find(({ state }) => state.kind === 'detached')
    if (left) {
      this.end(left, 'too_many_connections')
      return
    }
    this.#ports.counters.refuse('maxConnectionsPerUser')
    throw new FusewireError('too_many_connections', 'more than maxConnectionsPerUser allows', { retryAfterMs: TOO_MANY_FOR_MS })
  }

  #expire(session: Session): void {
    this.#move(session, 'expired')
  }

  /** `link` is the one that resumes, `reason` that of the end, `code` what the connection is told that loses the session. */
  #move(
    session: Session,
    event: SessionEvent,
    { link = session.link, reason = 'expired', code = 'session_replaced' }: Particulars = {},
  ): void {
    const before = session.link
    const { to, effects } = sessionMove(session.state.kind, event)
    if (to !== 'attached') session.state = WITHOUT_LINK[to]
    else if (link) session.state = { kind: to, link }
    for (const effect of effects) this.#do(effect, session, { link: before, reason, code })
  }

  /** Here `link` is the one that the session had. */
  #do(effect: SessionEffect, session: Session, { link, reason, code }: Required<Particulars>): void {
    switch (effect) {
      case 'pause':
        pauseSubscriptions(session)
        return
      case 'replace':
        link?.end(code)
        return
      case 'wait':
        this.#wait(session)
        return
      case 'stopWaiting':
        this.#waiting.delete(session)
        return
      case 'remove':
        this.#remove(session)
        this.#ports.onEnd(session, reason)
        return
      case 'letGo':
        this.#remove(session)
        this.#ports.onLetGo(session)
    }
  }

  #wait(session: Session): void {
    // A fifth of what a session takes while it waits.
    if (session.meter?.isAsNew(this.#ports.environment.now())) session.meter = undefined
    const givingWay = this.#waiting.add(session)
    if (!givingWay) return
    this.#ports.counters.refuse(givingWay.limit)
    this.end(givingWay.session, 'too_many_connections')
  }

  #add(session: Session): void {
    this.#byId.set(session.id, session)
    this.#byUser.add(session.user, session)
    this.#byTokenId.add(session.identity.tokenId, session)
  }

  #remove(session: Session): void {
    this.#byId.delete(session.id)
    this.#byUser.delete(session.user, session)
    this.#byTokenId.delete(session.identity.tokenId, session)
  }
}

interface Particulars {
  readonly link?: SessionLink | undefined
  readonly reason?: SessionEnd
  readonly code?: DisconnectCode
}

/** The same for all. */
const WITHOUT_LINK = { detached: { kind: 'detached' }, ended: { kind: 'ended' } } as const

/** What they miss from now on is in their channels' history. */
const pauseSubscriptions = ({ subscriptions }: Session): void => {
  for (const subscription of subscriptions.values()) subscription.channel.pause(subscription)
}
