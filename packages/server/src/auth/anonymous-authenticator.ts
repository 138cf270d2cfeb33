import type { Authenticator, ChannelGrant, Identity } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'

/** A client without a token: what it may do, the channels' rules say. */
export const ANONYMOUS: Identity = { capabilities: [], channels: [] }

const noKeys = () =>
  new FusewireError(
    'token_invalid',
    'This server has no keys to check tokens with. Connect without one, or set jwtSecret, jwtPublicKeyFile, jwksUrl or a connect hook on the server.',
  )

export interface AnonymousAuthenticatorOptions {
  /** Clients may stay nobody. Default true. */
  readonly allowAnonymous?: boolean
  /** Whether the application has a connect hook, which can tell who it is. Default: it has none. */
  readonly hasConnectHook?: () => boolean
}

/**
 * For servers without keys: everyone is anonymous, unless the application's connect hook says who it is. Without such a hook a token
 * is refused rather than ignored: whoever sends one expects to be somebody.
 */
export class AnonymousAuthenticator implements Authenticator {
  readonly #needsUser: boolean
  readonly #hasConnectHook: () => boolean

  constructor({ allowAnonymous = true, hasConnectHook = () => false }: AnonymousAuthenticatorOptions = {}) {
    this.#needsUser = !allowAnonymous
    this.#hasConnectHook = hasConnectHook
  }

  async authenticate(token: string | undefined): Promise<Identity> {
    if (token !== undefined && !this.#hasConnectHook()) throw noKeys()
    if (token === undefined && !this.#needsUser) return ANONYMOUS
    return {
      ...ANONYMOUS,
      ...(token !== undefined && { uncheckedToken: token }),
      ...(this.#needsUser && { needsUser: true }),
    }
  }

  async authorizeChannel(): Promise<ChannelGrant> {
    throw noKeys()
  }
}
