import type { Authenticator } from '@fusewire/engine'
import type { JSONWebKeySet } from 'jose'
import { ConfigurationError } from '../config/configuration-error.ts'
import { readOptionFile } from '../config/read-option-file.ts'
import { AnonymousAuthenticator } from './anonymous-authenticator.ts'
import { JwtAuthenticator } from './jwt-authenticator.ts'
import { KeySet } from './key-set.ts'
import { PublicKeys } from './public-keys.ts'
import { RemoteKeySet } from './remote-key-set.ts'
import { SecretKeys } from './secret-keys.ts'
import type { KeysUnavailableError, TokenKeys } from './token-keys.ts'

/** The server's options of the same names. */
export interface AuthenticatorOptions {
  /** Clients may come without a token, and keys may be fetched over http. Default false. */
  readonly development?: boolean
  /** Clients may come without a token. Default false. */
  readonly allowAnonymous?: boolean
  readonly jwtSecret?: string
  /** PEM of a public key or certificate. */
  readonly jwtPublicKeyFile?: string
  /** A fixed key set. */
  readonly jwks?: JSONWebKeySet
  readonly jwksUrl?: string
  readonly jwtAlgorithms?: readonly string[]
  readonly jwtIssuer?: string | readonly string[]
  readonly jwtAudience?: string | readonly string[]
  /** Default 5,000. */
  readonly jwtClockToleranceMs?: number
  /** Whether the application decides who may connect. Default: it does not. */
  readonly hasConnectHook?: () => boolean
  /** Hears when jwksUrl cannot be fetched, for the log. */
  readonly onKeysUnavailable?: (error: KeysUnavailableError) => void
}

const remoteKeys = (url: string, { development = false, onKeysUnavailable }: AuthenticatorOptions): RemoteKeySet => {
  const keys = new RemoteKeySet({ url, allowHttp: development, ...(onKeysUnavailable && { onError: onKeysUnavailable }) })
  keys.prefetch()
  return keys
}

const collectKeys = (options: AuthenticatorOptions): TokenKeys[] => {
  const { jwtSecret, jwtPublicKeyFile, jwks, jwksUrl } = options
  const keys: TokenKeys[] = []
  if (jwtSecret !== undefined) keys.push(new SecretKeys(jwtSecret))
  if (jwtPublicKeyFile !== undefined)
    keys.push(new PublicKeys(readOptionFile(jwtPublicKeyFile, 'jwtPublicKeyFile'), jwtPublicKeyFile))
  if (jwks !== undefined) keys.push(new KeySet(jwks))
  if (jwksUrl !== undefined) keys.push(remoteKeys(jwksUrl, options))
  return keys
}

/**
 * Builds what checks the tokens of clients. Several kinds of keys may be given at once, while one moves from one to another.
 * @throws {@link ConfigurationError} for keys that cannot be used, and when no client could ever connect.
 */
export const createAuthenticator = (options: AuthenticatorOptions): Authenticator => {
  const allowAnonymous = options.allowAnonymous === true || options.development === true
  const keys = collectKeys(options)
  if (keys.length > 0)
    return new JwtAuthenticator({
      keys,
      allowAnonymous,
      ...(options.jwtAlgorithms && { algorithms: options.jwtAlgorithms }),
      ...(options.jwtIssuer !== undefined && { issuer: options.jwtIssuer }),
      ...(options.jwtAudience !== undefined && { audience: options.jwtAudience }),
      ...(options.jwtClockToleranceMs !== undefined && { clockToleranceMs: options.jwtClockToleranceMs }),
    })
  const { hasConnectHook } = options
  if (allowAnonymous || hasConnectHook?.())
    return new AnonymousAuthenticator({ allowAnonymous, ...(hasConnectHook && { hasConnectHook }) })
  throw new ConfigurationError(
    'no client could connect: set jwtSecret, jwtPublicKeyFile or jwksUrl to accept tokens, or allowAnonymous: true to go without',
  )
}
