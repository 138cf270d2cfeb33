import { FusewireError } from '@fusewire/protocol'
import type { RevocationListener, Revocations } from './ports/revocations.ts'
import { isRevokedBy, type Revocation } from './revocation.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import type { Counters } from './stats.ts'
import type { Subscriptions } from './subscriptions.ts'

/** Which tokens an application revokes: one, by its `jti`, or those of a user. */
export type RevocationTarget =
  | { readonly token: string }
  | {
      readonly user: string
      /** Milliseconds since the epoch: tokens that were issued later stay. Default: now. */
      readonly issuedBefore?: number
    }

export interface RevokeOptions {
  /** How long the revocation is kept: at least as long as the tokens would have lived. Default `revocationTtlMs`. */
  readonly expiresInMs?: number
}

export interface RevokerPorts {
  readonly now: () => number
  readonly revocations: Revocations
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  readonly counters: Counters
  /** How long a revocation is kept when nothing else is said, in milliseconds. */
  readonly revocationTtlMs: number
}

/** Makes revocations, and carries out on this node those that any node has made. */
export class Revoker implements RevocationListener {
  readonly #ports: RevokerPorts

  constructor(ports: RevokerPorts) {
    this.#ports = ports
  }

  /** Answers with the number of sessions that it has ended on this node. */
  async revoke(target: RevocationTarget, { expiresInMs = this.#ports.revocationTtlMs }: RevokeOptions): Promise<number> {
    assertOneTarget(target)
    const now = this.#ports.now()
    const revocation = revocationOf(target, now)
    const ended = this.#sessionsOf(revocation).length
    try {
      await this.#ports.revocations.revoke(revocation, now + expiresInMs)
    } catch (error) {
      if (error instanceof FusewireError && error.code === 'overloaded') this.#ports.counters.refuse('maxRevocations')
      throw error
    }
    return ended
  }

  /** Sessions of this node that the revocation would end now. */
  count(target: RevocationTarget): number {
    return this.#sessionsOf(revocationOf(target, this.#ports.now())).length
  }

  revoked(revocation: Revocation): void {
    const retryAfterMs = retryAfter(revocation, this.#ports.now())
    for (const session of this.#sessionsOf(revocation)) {
      session.link?.end('token_revoked', undefined, retryAfterMs)
      this.#ports.sessions.end(session, 'token_revoked')
    }
    const ofUser = 'user' in revocation ? this.#ports.sessions.find({ user: revocation.user }) : []
    this.#ports.subscriptions.revokeTokens(revocation, ofUser)
  }

  #sessionsOf(revocation: Revocation): readonly Session[] {
    const { sessions } = this.#ports
    const found = 'token' in revocation ? sessions.withToken(revocation.token) : sessions.find({ user: revocation.user })
    return found.filter(({ identity }) => isRevokedBy(identity, revocation))
  }
}

const revocationOf = (target: RevocationTarget, now: number): Revocation =>
  'token' in target ? target : { issuedBefore: now, ...target }

/** A program without types that mistypes the name of a field must not believe that it has revoked something. */
const assertOneTarget = ({ token, user }: { readonly token?: unknown; readonly user?: unknown }): void => {
  if ((typeof token === 'string') === (typeof user === 'string'))
    throw new FusewireError('invalid_field', 'a revocation is of either a token or a user')
}

const SECOND_MS = 1000

/** A token that the user gets within the second of the revocation would be revoked as well: it is to be asked for after that. */
const retryAfter = (revocation: Revocation, now: number): number | undefined => {
  if ('token' in revocation) return undefined
  const waitMs = (Math.floor(revocation.issuedBefore / SECOND_MS) + 1) * SECOND_MS - now
  return waitMs > 0 && waitMs <= SECOND_MS ? waitMs : undefined
}
