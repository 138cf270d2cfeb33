import { type Connect, type Connected, FusewireError, type SubscriptionRequest } from '@fusewire/protocol'
import type { HookQuestions } from './hook-questions.ts'
import type { Authenticator, Identity } from './ports/authenticator.ts'
import type { Connection } from './ports/connection.ts'
import type { ClientDetails } from './ports/hooks.ts'
import type { Revocations } from './ports/revocations.ts'
import type { SessionRecord } from './ports/session-store.ts'
import { Session, type SessionLink } from './session.ts'
import type { Sessions } from './sessions.ts'
import type { SharedSessions } from './shared-sessions.ts'
import type { SubscribeOptions, Subscriptions } from './subscriptions.ts'

export interface HandshakePorts {
  readonly now: () => number
  readonly authenticator: Authenticator
  readonly revocations: Revocations
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  /** Absent where there is no other node. */
  readonly shared: SharedSessions | undefined
  readonly questions: HookQuestions
  /** What every `connected` says. */
  readonly greeting: Pick<Connected, 'node' | 'version' | 'pingIntervalMs' | 'pongTimeoutMs' | 'sessionTtlMs' | 'development'>
}

/** A `connect` whose token was good, and which the application has not refused. */
export interface Accepted {
  readonly client: ClientDetails
  readonly identity: Identity
  /** The session to resume, if it is still there. */
  readonly resumable: Session | undefined
  /** The session whose secret alone has said who it is, and what it stood for; absent when there was a token. */
  readonly voucher: { readonly session: Session; readonly identity: Identity } | undefined
}

/** A subscription of `connect` that could not be made. */
export interface Failure {
  readonly request: SubscriptionRequest
  readonly error: unknown
}

/** From `connect` to `connected`: who it is, which session it gets, and the subscriptions that it starts with. */
export class Handshake {
  readonly #ports: HandshakePorts
  /** What each `connected` is a copy of: to put its parts together anew took a hundredth of what a connection costs. */
  readonly #connected: Connected

  constructor(ports: HandshakePorts) {
    this.#ports = ports
    this.#connected = { type: 'connected', session: '', resume: '', resumed: false, ...ports.greeting }
  }

  /**
   * The resume token alone is proof of who resumes, as long as the session's own token has neither expired nor been revoked. A session
   * of another node becomes this one's when all else is clear. Rejects with `broker_unavailable` when nobody can say whether there is one:
   * a client that tries again keeps it, while a new session would be the end of the old one.
   */
  async authenticate(message: Connect, connection: Connection): Promise<Accepted> {
    const { resume } = message
    const { sessions, shared } = this.#ports
    const known = resume === undefined ? undefined : shared ? await this.#find(resume, shared) : sessions.byResumeToken(resume)
    const client = detailsOf(message, connection)
    const vouched = message.token === undefined && known?.identity.user !== undefined ? known.identity : undefined
    if (vouched) this.#assertNotExpired(vouched)
    let identity = vouched ?? (await this.#ports.authenticator.authenticate(message.token))
    this.#assertNotRevoked(identity)
    if (this.#ports.questions.isAsked('connect')) identity = await this.#ports.questions.connect(identity, client, known)
    if (identity.needsUser && identity.user === undefined) throw new FusewireError('token_required')
    const session = known && (await this.#own(known, identity))
    // What has vouched for the client has ended before it could be taken.
    if (vouched && !session && known?.identity.user === identity.user) return this.authenticate(message, connection)
    const voucher = session && vouched && { session, identity: isSame(session.identity, vouched) ? session.identity : vouched }
    return { identity, client, resumable: session?.user === identity.user ? session : undefined, voucher }
  }

  /**
   * The session has ended since it vouched for its client, or has a newer token: who it is has to be asked anew. Where another node may
   * have taken it, it is looked for again.
   */
  isOutdated({ voucher, resumable }: Accepted): boolean {
    if (this.#ports.shared && resumable?.state.kind === 'ended') return true
    return voucher !== undefined && (voucher.session.state.kind === 'ended' || voucher.session.identity !== voucher.identity)
  }

  /** Here or on another node. */
  async #find(resume: string, shared: SharedSessions): Promise<Session | SessionRecord | undefined> {
    const { sessions, revocations } = this.#ports
    const here = sessions.byResumeToken(resume)
    if (here && (await shared.confirm(here))) return here
    const elsewhere = await shared.find(resume)
    return elsewhere && !revocations.isRevoked(elsewhere.identity) ? elsewhere : undefined
  }

  /** Takes it over where it is another node's, for whom it belongs to. */
  async #own(known: Session | SessionRecord, { user }: Identity): Promise<Session | undefined> {
    if (known instanceof Session) return known
    const { sessions, shared } = this.#ports
    if (known.identity.user !== user) return undefined
    sessions.makeRoom(user)
    return shared?.take(known)
  }

  #assertNotExpired({ expiresAt }: Identity): void {
    if (expiresAt !== undefined && expiresAt <= this.#ports.now()) throw new FusewireError('token_expired')
  }

  /**
   * Resumes the session, or makes a new one; it may have ended while the token was checked, and the token may have been revoked.
   * Throws `token_revoked` then.
   */
  attach({ identity, client, resumable }: Accepted, link: SessionLink): Session {
    this.#assertNotRevoked(identity)
    if (!resumable || resumable.state.kind === 'ended') return this.#ports.sessions.create(identity, link, client)
    this.#ports.sessions.renew(resumable, identity)
    this.#ports.sessions.attach(resumable, link, client)
    return resumable
  }

  #assertNotRevoked(identity: Identity): void {
    if (this.#ports.revocations.isRevoked(identity)) throw new FusewireError('token_revoked')
  }

  /** Says `connected`, then makes the subscriptions; answers with those that failed. */
  async welcome(
    session: Session,
    link: SessionLink,
    { id, subscriptions = [] }: Connect,
    { resumable, identity }: Accepted,
  ): Promise<readonly Failure[]> {
    const resumed = session === resumable
    link.send({
      ...this.#connected,
      ...(id !== undefined && { id }),
      session: session.id,
      resume: session.resumeToken,
      resumed,
      ...(identity.user !== undefined && { user: identity.user }),
      ...(identity.expiresAt !== undefined && { expiresAt: identity.expiresAt }),
    })

    if (subscriptions.length < 2 && session.subscriptions.size === 0 && identity.channels.length === 0) {
      // Nearly all clients that are new: nothing can be named twice.
      const [request] = subscriptions
      const failure = request && (await this.#subscribe(session, request))
      return failure ? [failure] : []
    }
    const asked = new Map<string, SubscriptionRequest>()
    const failures: Failure[] = []
    for (const request of subscriptions) {
      // Of two at the same time only one could be answered.
      if (asked.has(request.channel))
        failures.push({ request, error: new FusewireError('invalid_field', 'named twice in connect') })
      else asked.set(request.channel, request)
    }
    const kept = session.subscriptions.keys().filter((channel) => !asked.has(channel))
    const granted = identity.channels.filter((channel) => !asked.has(channel) && !session.subscriptions.has(channel))
    const outcomes = await Promise.all([
      ...[...asked.values()].map((request) => this.#subscribe(session, request)),
      ...kept.map((channel) => this.#subscribe(session, { channel }, { resumed: true })),
      ...granted.map((channel) => this.#subscribe(session, { channel })),
    ])
    return [...failures, ...outcomes.filter((outcome) => outcome !== undefined)]
  }

  async #subscribe(session: Session, request: SubscriptionRequest, options?: SubscribeOptions): Promise<Failure | undefined> {
    try {
      await this.#ports.subscriptions.subscribe(session, request, options)
      return undefined
    } catch (error) {
      return { request, error }
    }
  }
}

/** Whether a session that was taken over is still who it was when it was found. */
const isSame = (one: Identity, other: Identity): boolean => one === other || JSON.stringify(one) === JSON.stringify(other)

const detailsOf = ({ name, version }: Connect, { transport, remoteAddress }: Connection): ClientDetails => ({
  transport,
  remoteAddress,
  ...(name !== undefined && { name }),
  ...(version !== undefined && { version }),
})
