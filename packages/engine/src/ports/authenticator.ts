import type { Capability } from '../access.ts'
import type { TokenMark } from '../revocation.ts'

/** Who a connection is, as its token says. */
export interface Identity extends TokenMark {
  /** Absent for an anonymous client. */
  readonly user?: string
  /** Shown to others in presence: a value that JSON can carry. */
  readonly info?: unknown
  /** Milliseconds since the epoch; absent when the identity does not expire. */
  readonly expiresAt?: number
  readonly capabilities: readonly Capability[]
  /** Channels that the session is subscribed to at connect. */
  readonly channels: readonly string[]
  /** A token that the authenticator has no keys for. The connect hook MUST be asked about it: nothing above comes from it. */
  readonly uncheckedToken?: string
  /** The client must be somebody: without a user after the connect hook it MUST be refused. */
  readonly needsUser?: boolean
}

/** What a channel token grants to one user in one channel. */
export interface ChannelGrant extends TokenMark {
  readonly channel: string
  /** Absent when the token is good for anyone. */
  readonly user?: string
  readonly expiresAt?: number
  /** Shown to others in this channel's presence, in place of the identity's. */
  readonly info?: unknown
}

/** Turns tokens into identities. Refusals MUST be {@link FusewireError}s: `token_required`, `token_invalid`, `token_expired`. */
export interface Authenticator {
  /** `token` is absent for an anonymous client; whether that is allowed is decided here. */
  authenticate(token: string | undefined): Promise<Identity>
  /** MUST refuse a token that is not for this channel or not for this user. */
  authorizeChannel(token: string, channel: string, user: string | undefined): Promise<ChannelGrant>
}
