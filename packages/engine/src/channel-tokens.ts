import { FusewireError } from '@fusewire/protocol'
import { KeyedSets } from './keyed-sets.ts'
import type { Authenticator, ChannelGrant } from './ports/authenticator.ts'
import type { Revocations } from './ports/revocations.ts'
import { isRevokedBy, type Revocation } from './revocation.ts'
import type { Subscription } from './subscription.ts'
import type { TimerWheel } from './timer-wheel.ts'

export interface ChannelTokensPorts {
  readonly authenticator: Authenticator
  readonly revocations: Revocations
  readonly wheel: TimerWheel
  /** The token of this subscription is good no more. */
  readonly onEnd: (subscription: Subscription, code: 'token_expired' | 'token_revoked') => void
}

/** The channel tokens that subscriptions were made with, and when they end. */
export class ChannelTokens {
  readonly #ports: ChannelTokensPorts
  readonly #byTokenId = new KeyedSets<Subscription>()

  constructor(ports: ChannelTokensPorts) {
    this.#ports = ports
  }

  authorize(token: string, channel: string, user: string | undefined): Promise<ChannelGrant> {
    return this.#ports.authenticator.authorizeChannel(token, channel, user)
  }

  /** To be asked in the turn in which the grant is used: it may have been revoked since it was read. */
  assertGood(grant: ChannelGrant): void {
    if (this.#ports.revocations.isRevoked(grant)) throw new FusewireError('token_revoked')
  }

  /** The subscription has this token now, in place of the one before. */
  accept(subscription: Subscription, grant: ChannelGrant): void {
    this.release(subscription)
    const { expiresAt, info, tokenId } = grant
    Object.assign(subscription, { info, expiresAt, token: grant })
    this.#byTokenId.add(tokenId, subscription)
    if (expiresAt === undefined) return
    subscription.expiry = {
      due: () => {
        this.#ports.onEnd(subscription, 'token_expired')
        return undefined
      },
    }
    this.#ports.wheel.schedule(subscription.expiry, expiresAt)
  }

  /** The subscription ends, or gets another token. */
  release(subscription: Subscription): void {
    if (subscription.expiry) this.#ports.wheel.cancel(subscription.expiry)
    subscription.expiry = undefined
    this.#byTokenId.delete(subscription.token?.tokenId, subscription)
  }

  /** Ends the subscriptions whose token this is about. */
  revoked(revocation: Revocation, ofUser: readonly Subscription[]): void {
    const found = 'token' in revocation ? this.#byTokenId.get(revocation.token) : ofUser
    for (const subscription of found)
      if (subscription.token && isRevokedBy(subscription.token, revocation)) this.#ports.onEnd(subscription, 'token_revoked')
  }
}
