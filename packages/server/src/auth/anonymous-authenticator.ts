import type { Authenticator, ChannelGrant, Identity } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'

/** A client without a token: what it may do, the channels' rules say. */
export const ANONYMOUS: Identity = { capabilities: [], channels: [] }

const noKeys = () =>
  new FusewireError(
    'token_invalid',
    'This server has no keys to check tokens with. Connect without one, or set jwtSecret, jwtPublicKeyFile or jwksUrl on the server.',
  )

/**
 * For servers without keys: everyone is anonymous. A token is refused rather than ignored: whoever sends one expects to be
 * somebody.
 */
export class AnonymousAuthenticator implements Authenticator {
  async authenticate(token: string | undefined): Promise<Identity> {
    if (token === undefined) return ANONYMOUS
    throw noKeys()
  }

  async authorizeChannel(): Promise<ChannelGrant> {
    throw noKeys()
  }
}
