import type { FusewireInput } from '@fusewire/server'
import { type JWTPayload, SignJWT } from 'jose'

export const DEVELOPMENT: FusewireInput = { development: true }

export const API_KEY = 'e2e-api-key-0123456789'
export const JWT_SECRET = 'a secret of the e2e tests, of 32 bytes and more'
export const ISSUER = 'https://id.example.com'
export const AUDIENCE = 'fusewire-e2e'
export const PAGE_ORIGIN = 'https://app.example.com'

/** Everything that a server on the internet has turned on. */
export const PRODUCTION: FusewireInput = {
  jwtSecret: JWT_SECRET,
  jwtIssuer: ISSUER,
  jwtAudience: AUDIENCE,
  apiKeys: [API_KEY],
  allowedOrigins: [PAGE_ORIGIN],
  rules: [
    { pattern: 'chat:*', presence: true, publish: 'user' },
    { pattern: 'inbox:*', subscribe: 'owner', history: 'owner' },
    { pattern: 'private:*', subscribe: 'nobody' },
  ],
}

export interface TokenOptions {
  readonly claims?: JWTPayload
  readonly secret?: string
  readonly issuer?: string
  readonly audience?: string
  /** Seconds from now; negative for the past. */
  readonly expiresIn?: number
}

/** A token as the backend of {@link PRODUCTION} would sign it, but for what the options change. */
export const signToken = (user: string | undefined, options: TokenOptions = {}): Promise<string> => {
  const { claims = {}, secret = JWT_SECRET, issuer = ISSUER, audience = AUDIENCE, expiresIn = 300 } = options
  const token = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuer(issuer).setAudience(audience)
  if (user !== undefined) token.setSubject(user)
  return token.setExpirationTime(Math.floor(Date.now() / 1000) + expiresIn).sign(new TextEncoder().encode(secret))
}
