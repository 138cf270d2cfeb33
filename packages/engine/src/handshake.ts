import { type Connect, type Connected, FusewireError, type SubscriptionRequest } from '@fusewire/protocol'
import type { Authenticator, Identity } from './ports/authenticator.ts'
import type { Session, SessionLink } from './session.ts'
import type { Sessions } from './sessions.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface HandshakePorts {
  readonly now: () => number
  readonly authenticator: Authenticator
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  /** What every `connected` says. */
  readonly greeting: Pick<Connected, 'node' | 'version' | 'pingIntervalMs' | 'pongTimeoutMs' | 'sessionTtlMs' | 'development'>
}

/** A `connect` whose token was good. */
export interface Accepted {
  readonly identity: Identity
  /** The session to resume, if it is still there. */
  readonly resumable: Session | undefined
}

/** From `connect` to `connected`: who it is, which session it gets, and the subscriptions that it starts with. */
export class Handshake {
  readonly #ports: HandshakePorts

  constructor(ports: HandshakePorts) {
    this.#ports = ports
  }

  /** The resume token alone is proof of who resumes, as long as the session's own token has not expired. */
  async authenticate({ token, resume }: Connect): Promise<Accepted> {
    const known = resume === undefined ? undefined : this.#ports.sessions.byResumeToken(resume)
    if (known && token === undefined && known.identity.user !== undefined) {
      const { expiresAt } = known.identity
      if (expiresAt !== undefined && expiresAt <= this.#ports.now()) throw new FusewireError('token_expired')
      return { identity: known.identity, resumable: known }
    }
    const identity = await this.#ports.authenticator.authenticate(token)
    return { identity, resumable: known?.user === identity.user ? known : undefined }
  }

  /** Resumes the session, or makes a new one; it may have ended while the token was checked. */
  attach({ identity, resumable }: Accepted, link: SessionLink): Session {
    if (!resumable || resumable.state.kind === 'ended') return this.#ports.sessions.create(identity, link)
    resumable.renew(identity)
    this.#ports.sessions.attach(resumable, link)
    return resumable
  }

  /** Says `connected`, then makes the subscriptions; answers with those that failed. */
  async welcome(
    session: Session,
    { id, subscriptions: asked = [] }: Connect,
    { resumable, identity }: Accepted,
  ): Promise<readonly { readonly request: SubscriptionRequest; readonly error: unknown }[]> {
    const resumed = session === resumable
    const connected: Connected = {
      type: 'connected',
      ...(id !== undefined && { id }),
      session: session.id,
      resume: session.resumeToken,
      resumed,
      ...(identity.user !== undefined && { user: identity.user }),
      ...(identity.expiresAt !== undefined && { expiresAt: identity.expiresAt }),
      ...this.#ports.greeting,
    }
    session.link?.send(connected)

    const names = new Set(asked.map(({ channel }) => channel))
    const kept = resumed ? [...session.subscriptions.keys()].filter((channel) => !names.has(channel)) : []
    const granted = identity.channels.filter((channel) => !names.has(channel) && !session.subscriptions.has(channel))
    const work: (readonly [SubscriptionRequest, { trusted?: boolean; resumed?: boolean }])[] = [
      ...asked.map((request) => [request, {}] as const),
      ...kept.map((channel) => [{ channel }, { trusted: true, resumed: true }] as const),
      ...granted.map((channel) => [{ channel }, { trusted: true }] as const),
    ]
    const outcomes = await Promise.allSettled(
      work.map(([request, options]) => this.#ports.subscriptions.subscribe(session, request, options)),
    )
    return outcomes.flatMap((outcome, index) => {
      const request = work[index]?.[0]
      return outcome.status === 'rejected' && request ? [{ request, error: outcome.reason as unknown }] : []
    })
  }
}
