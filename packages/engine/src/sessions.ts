import type { Identity } from './ports/authenticator.ts'
import type { Environment } from './ports/environment.ts'
import { Session, type SessionLink } from './session.ts'
import type { Counters } from './stats.ts'
import type { TimerWheel } from './timer-wheel.ts'

/** Which sessions an application means. */
export type Target = { readonly user: string } | { readonly session: string }

/** The sessions of this node, attached and detached. */
export class Sessions {
  readonly #byId = new Map<string, Session>()
  readonly #byResumeToken = new Map<string, Session>()
  readonly #byUser = new Map<string, Set<Session>>()
  readonly #environment: Environment
  readonly #wheel: TimerWheel
  readonly #counters: Counters
  readonly #ttlMs: number
  /** Called with a session whose end has come, before it is forgotten. */
  readonly #onEnd: (session: Session) => void
  #detached = 0

  constructor(environment: Environment, wheel: TimerWheel, counters: Counters, ttlMs: number, onEnd: (session: Session) => void) {
    this.#environment = environment
    this.#wheel = wheel
    this.#counters = counters
    this.#ttlMs = ttlMs
    this.#onEnd = onEnd
  }

  get size(): number {
    return this.#byId.size
  }

  get detachedCount(): number {
    return this.#detached
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values()
  }

  create(identity: Identity, link: SessionLink): Session {
    const id = this.#environment.id()
    const session = new Session(id, `${id}.${this.#environment.secret()}`, identity)
    session.state = { kind: 'attached', link }
    this.#byId.set(id, session)
    this.#byResumeToken.set(session.resumeToken, session)
    if (session.user !== undefined) {
      const ofUser = this.#byUser.get(session.user)
      if (ofUser) ofUser.add(session)
      else this.#byUser.set(session.user, new Set([session]))
    }
    this.#counters.sessionsCreated++
    return session
  }

  byResumeToken(token: string): Session | undefined {
    return this.#byResumeToken.get(token)
  }

  find(target: Target): readonly Session[] {
    if ('user' in target) return [...(this.#byUser.get(target.user) ?? [])]
    const session = this.#byId.get(target.session)
    return session ? [session] : []
  }

  /** Gives the session to a new link. The one it was attached to is told that it has been replaced. */
  attach(session: Session, link: SessionLink): void {
    const { state } = session
    session.state = { kind: 'attached', link }
    if (state.kind === 'attached') state.link.end('session_replaced')
    else this.#detached--
    this.#counters.sessionsResumed++
  }

  /** The link has been lost: the session stays, without delivery, until its TTL ends. Nothing happens when it has another link by now. */
  detach(session: Session, link: SessionLink): void {
    if (session.link !== link) return
    session.state = { kind: 'detached' }
    this.#detached++
    for (const subscription of session.subscriptions.values()) subscription.channel.pause(subscription)
    const deadline = this.#environment.now() + this.#ttlMs
    const detachment = session.state
    this.#wheel.schedule({ due: () => this.#expire(session, detachment) }, deadline)
  }

  /** Ends the session for good. Idempotent. */
  end(session: Session): void {
    const { state } = session
    if (state.kind === 'ended') return
    if (state.kind === 'detached') this.#detached--
    session.state = { kind: 'ended' }
    this.#onEnd(session)
    this.#byId.delete(session.id)
    this.#byResumeToken.delete(session.resumeToken)
    const ofUser = session.user === undefined ? undefined : this.#byUser.get(session.user)
    if (ofUser?.delete(session) && ofUser.size === 0 && session.user !== undefined) this.#byUser.delete(session.user)
  }

  /** Only the break that set the deadline counts: a session that was resumed and lost again has a later one. */
  #expire(session: Session, detachment: Session['state']): undefined {
    if (session.state !== detachment) return
    this.#counters.sessionsExpired++
    this.end(session)
  }
}
