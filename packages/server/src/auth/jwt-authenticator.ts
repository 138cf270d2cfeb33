import type { Authenticator, ChannelGrant, Identity, TokenMark } from '@fusewire/engine'
import { FusewireError, LIMITS } from '@fusewire/protocol'
import { decodeProtectedHeader, errors, type JWSHeaderParameters, type JWTPayload, jwtVerify } from 'jose'
import type { z } from 'zod'
import { ANONYMOUS } from './anonymous-authenticator.ts'
import { chooseAlgorithms, type JwtAlgorithm } from './token-algorithms.ts'
import { channelClaims, connectClaims, explainClaims } from './token-claims.ts'
import { KeysUnavailableError, type TokenKeys } from './token-keys.ts'

export interface JwtAuthenticatorOptions {
  /** Where keys come from, in the order in which they are tried. */
  readonly keys: readonly TokenKeys[]
  /** Accepted algorithms. Default: all that fit the keys. */
  readonly algorithms?: readonly string[]
  /** Required `iss`: one of these. Default: any, or none. */
  readonly issuer?: string | readonly string[]
  /** Required `aud`: one of these. Default: any, or none. */
  readonly audience?: string | readonly string[]
  /** How far the clock of whoever signs may be off. Default 5,000. */
  readonly clockToleranceMs?: number
  /** Clients may come without a token. Default false. */
  readonly allowAnonymous?: boolean
}

const list = (value: string | readonly string[]): string[] => (typeof value === 'string' ? [value] : [...value])

const invalid = (message: string, cause?: unknown) => new FusewireError('token_invalid', message, { cause })

/** What jose found wrong, as a refusal. Errors that it did not foresee are a fault of the server, not of the token. */
const refusal = (error: unknown): FusewireError => {
  if (error instanceof FusewireError) return error
  if (error instanceof KeysUnavailableError)
    return new FusewireError('internal_error', 'The keys to check tokens with cannot be fetched now. Try again later.', {
      cause: error,
    })
  if (error instanceof errors.JWTExpired) return new FusewireError('token_expired', undefined, { cause: error })
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error
    if (reason === 'missing') return invalid(`The token's claim "${claim}" is missing.`, error)
    if (reason === 'invalid') return invalid(`The token's claim "${claim}" must be a number of seconds.`, error)
    return invalid(
      claim === 'nbf'
        ? 'The token\'s claim "nbf" says that it is not valid yet.'
        : `The token's claim "${claim}" is not the one that this server takes.`,
      error,
    )
  }
  if (error instanceof errors.JOSEError) return invalid('The token is not a signed JWT.', error)
  return new FusewireError('internal_error', undefined, { cause: error })
}

const headerOf = (token: string): JWSHeaderParameters => {
  if (token.length > LIMITS.tokenLength) throw invalid(`The token has more than ${LIMITS.tokenLength} characters.`)
  try {
    return decodeProtectedHeader(token)
  } catch (cause) {
    throw invalid('The token is not a JWT.', cause)
  }
}

/** What revocations go by. */
const markOf = ({ jti, sub, iat }: Pick<z.output<typeof channelClaims>, 'jti' | 'sub' | 'iat'>): TokenMark => ({
  ...(jti !== undefined && { tokenId: jti }),
  ...(sub !== undefined && { user: sub }),
  ...(iat !== undefined && { issuedAt: iat * 1000 }),
})

/** Reads tokens that the application's backend has signed. */
export class JwtAuthenticator implements Authenticator {
  readonly #keys: readonly TokenKeys[]
  readonly #algorithms: ReadonlySet<JwtAlgorithm>
  readonly #checks: { issuer?: string[]; audience?: string[]; clockTolerance: number }
  readonly #clockToleranceMs: number
  readonly #allowAnonymous: boolean

  constructor(options: JwtAuthenticatorOptions) {
    const { keys, issuer, audience, clockToleranceMs = 5_000, allowAnonymous = false } = options
    this.#keys = keys
    this.#algorithms = chooseAlgorithms([...new Set(keys.flatMap((source) => source.algorithms))], options.algorithms)
    this.#checks = {
      clockTolerance: clockToleranceMs / 1000,
      ...(issuer !== undefined && { issuer: list(issuer) }),
      ...(audience !== undefined && { audience: list(audience) }),
    }
    this.#clockToleranceMs = clockToleranceMs
    this.#allowAnonymous = allowAnonymous
  }

  async authenticate(token: string | undefined): Promise<Identity> {
    if (token === undefined) {
      if (this.#allowAnonymous) return ANONYMOUS
      throw new FusewireError('token_required')
    }
    const claims = await this.#claims(token, connectClaims)
    const { exp, info, caps, channels } = claims
    return { ...markOf(claims), capabilities: caps, channels, ...this.#expiry(exp), ...(info !== undefined && { info }) }
  }

  async authorizeChannel(token: string, channel: string, user: string | undefined): Promise<ChannelGrant> {
    const claims = await this.#claims(token, channelClaims)
    if (claims.channel !== channel) throw invalid('The channel token is for another channel (claim "channel").')
    if (claims.sub !== undefined && claims.sub !== user) throw invalid('The channel token is for another user (claim "sub").')
    return { channel, ...markOf(claims), ...this.#expiry(claims.exp), ...(claims.info !== undefined && { info: claims.info }) }
  }

  async #claims<T>(token: string, schema: z.ZodType<T>): Promise<T> {
    const claims = schema.safeParse(await this.#verify(token))
    if (claims.success) return claims.data
    throw invalid(`The token's ${explainClaims(claims.error)}.`)
  }

  async #verify(token: string): Promise<JWTPayload> {
    const header = headerOf(token)
    const algorithm = [...this.#algorithms].find((name) => name === header.alg)
    if (algorithm === undefined)
      throw invalid(`The token's signature algorithm is not accepted here; sign it with ${[...this.#algorithms].join(', ')}.`)
    let tried = 0
    try {
      for (const source of this.#keys) {
        // A key is only ever used with the algorithms of its own kind, whatever the token says.
        if (!source.algorithms.includes(algorithm)) continue
        for (const key of await source.find(header)) {
          tried++
          try {
            return (await jwtVerify(token, key, { ...this.#checks, algorithms: [algorithm] })).payload
          } catch (error) {
            if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
          }
        }
      }
    } catch (error) {
      throw refusal(error)
    }
    throw invalid(tried > 0 ? "The token's signature is wrong." : 'The server has no key with the "kid" of this token.')
  }

  /** A token that is accepted only because clocks differ holds until they can differ no more. */
  #expiry(exp: number | undefined): { expiresAt?: number } {
    if (exp === undefined) return {}
    const expiresAt = Math.floor(exp * 1000)
    return { expiresAt: expiresAt > Date.now() ? expiresAt : expiresAt + this.#clockToleranceMs }
  }
}
