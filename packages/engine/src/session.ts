import type { DisconnectCode, Member, ServerMessage } from '@fusewire/protocol'
import { CapabilitySet } from './access.ts'
import { FewEntries } from './few-entries.ts'
import type { Identity } from './ports/authenticator.ts'
import type { Connection } from './ports/connection.ts'
import type { ClientDetails } from './ports/hooks.ts'
import type { RateMeter } from './rate-meter.ts'
import type { Subscription } from './subscription.ts'

/** The live end of a session: the peer it is attached to. */
export interface SessionLink {
  readonly connection: Connection
  send(message: ServerMessage): void
  /** Tells the client why, and ends the connection. */
  end(code: DisconnectCode, reason?: string, retryAfterMs?: number): void
  /** The end of the session's identity has changed. */
  refreshed(): void
}

/** Where a session stands; how it moves on is {@link SESSION_TABLE}'s to say. */
export type SessionState =
  | { readonly kind: 'attached'; readonly link: SessionLink }
  | { readonly kind: 'detached' }
  | { readonly kind: 'ended' }

/**
 * Why a session has ended: no connection came back within its TTL, or the code with which the last one ended it, `closed` where the
 * client has left by itself, `disconnected` where the application wanted it so.
 */
export type SessionEnd = 'expired' | DisconnectCode

/** A client's stay, which outlives its connections. */
export class Session {
  readonly id: string
  /** Secret; whoever holds it is this session. */
  readonly resumeToken: string
  /** By channel. */
  readonly subscriptions = new FewEntries<Subscription>()
  /**
   * Measures what the client sends; comes with the first connection and outlives it, so that another one gives no new burst. Absent while
   * the session waits and may send as much as any new one.
   */
  meter: RateMeter | undefined
  state: SessionState
  /** Of its last connection. */
  client: ClientDetails
  #identity: Identity
  #capabilities: CapabilitySet

  /** Without a link it is one that another node had, and waits for its client. */
  constructor(id: string, resumeToken: string, identity: Identity, link: SessionLink | undefined, client: ClientDetails) {
    this.id = id
    this.resumeToken = resumeToken
    this.state = link ? { kind: 'attached', link } : { kind: 'detached' }
    this.client = client
    this.#identity = identity
    this.#capabilities = CapabilitySet.of(identity.capabilities)
  }

  get identity(): Identity {
    return this.#identity
  }

  get user(): string | undefined {
    return this.#identity.user
  }

  get capabilities(): CapabilitySet {
    return this.#capabilities
  }

  get link(): SessionLink | undefined {
    return this.state.kind === 'attached' ? this.state.link : undefined
  }

  /** A newer token of the same user takes the place of the old one. */
  renew(identity: Identity): void {
    this.#identity = identity
    this.#capabilities = CapabilitySet.of(identity.capabilities)
  }

  /** How others see this session; a channel token may bring its own info for its channel. */
  member(info: unknown = this.#identity.info): Member {
    const { user } = this.#identity
    return { session: this.id, ...(user !== undefined && { user }), ...(info !== undefined && { info }) }
  }
}
