import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { Capability } from '@fusewire/engine'
import { type JWTPayload, SignJWT } from 'jose'
import { ConfigurationError } from '../config/configuration-error.ts'
import { secretBytes } from './secret-keys.ts'
import { algorithmsOf, type JwtAlgorithm, SECRET_ALGORITHMS } from './token-algorithms.ts'
import { channelClaims, connectClaims, explainClaims } from './token-claims.ts'

/** What a token for `connect` says. */
export interface ConnectToken {
  readonly user: string
  /** Shown to others in presence. */
  readonly info?: unknown
  /** What the client may do beyond the channels' rules. */
  readonly capabilities?: readonly Capability[]
  /** Channels that the session is subscribed to at connect. */
  readonly channels?: readonly string[]
}

/** What a token for one channel says. */
export interface ChannelToken {
  readonly channel: string
  /** Only this user may use the token; anyone when absent. */
  readonly user?: string
  readonly info?: unknown
}

/** A shared secret, or the PEM of a private key (RSA, EC, Ed25519). */
export type SigningKey = { readonly secret: string } | { readonly privateKey: string }

export interface SigningOptions {
  /** How long the token is valid, in milliseconds, rounded up to seconds. Without it the token never expires. */
  readonly expiresInMs?: number
  /** Default: HS256 for a secret; for a private key RS256, the one of its curve, or EdDSA. */
  readonly algorithm?: string
  /** `jti`: by it this token alone can be revoked. */
  readonly tokenId?: string
  /** `kid`: names the key in a key set. */
  readonly keyId?: string
  readonly issuer?: string
  readonly audience?: string
}

const privateKeyOf = (pem: string): KeyObject => {
  const refuse = (message: string, cause?: unknown) => new ConfigurationError([{ option: 'privateKey', message }], { cause })
  if (pem.includes('ENCRYPTED'))
    throw refuse('the key is encrypted; decrypt it first: openssl pkey -in key.pem -out decrypted.pem')
  if (!pem.includes('PRIVATE KEY-----')) throw refuse('a private key begins with "-----BEGIN PRIVATE KEY-----"')
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw refuse('the private key cannot be read', cause)
  }
}

const signerOf = (key: SigningKey): { key: Uint8Array | KeyObject; algorithms: readonly JwtAlgorithm[] } => {
  if ('secret' in key) return { key: secretBytes(key.secret), algorithms: SECRET_ALGORITHMS }
  const privateKey = privateKeyOf(key.privateKey)
  return { key: privateKey, algorithms: algorithmsOf(privateKey, 'privateKey') }
}

const claimsOf = (token: ConnectToken | ChannelToken, tokenId: string | undefined): JWTPayload => {
  const isChannelToken = 'channel' in token
  const claims: Record<string, unknown> = isChannelToken
    ? { sub: token.user, jti: tokenId, channel: token.channel, info: token.info }
    : { sub: token.user, jti: tokenId, info: token.info, caps: token.capabilities, channels: token.channels }
  const checked = (isChannelToken ? channelClaims : connectClaims).safeParse(claims)
  if (!checked.success) throw new ConfigurationError(`no token can be made of this: ${explainClaims(checked.error)}`)
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}

/**
 * Signs a token as the application's backend would.
 * @throws {@link ConfigurationError} for a key, an algorithm or claims that the server would not accept.
 */
export const signToken = async (
  token: ConnectToken | ChannelToken,
  signingKey: SigningKey,
  { expiresInMs, algorithm, tokenId, keyId, issuer, audience }: SigningOptions = {},
): Promise<string> => {
  const { key, algorithms } = signerOf(signingKey)
  const alg = algorithm === undefined ? algorithms[0] : algorithms.find((name) => name === algorithm)
  if (alg === undefined)
    throw new ConfigurationError([
      { option: 'algorithm', message: `${algorithm} does not fit the key, which can be used with ${algorithms.join(', ')}` },
    ])
  const jwt = new SignJWT(claimsOf(token, tokenId)).setIssuedAt()
  if (expiresInMs !== undefined) jwt.setExpirationTime(Math.ceil((Date.now() + expiresInMs) / 1000))
  if (issuer !== undefined) jwt.setIssuer(issuer)
  if (audience !== undefined) jwt.setAudience(audience)
  return jwt.setProtectedHeader({ alg, typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) }).sign(key)
}
