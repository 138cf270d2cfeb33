import { createPublicKey } from 'node:crypto'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWK, type JWSHeaderParameters } from 'jose'
import { ConfigurationError } from '../config/configuration-error.ts'
import { algorithmsOf, type JwtAlgorithm } from './token-algorithms.ts'
import type { TokenKey, TokenKeys } from './token-keys.ts'

const OPTION = 'jwks'

/** Keys of one set that are tried at most for a token without `kid`: each costs a signature check. */
const MAX_CANDIDATES = 16

type Resolver = (header: JWSHeaderParameters) => Promise<TokenKey>

/** The keys of a set that fit a token's `kid` and algorithm. */
export const candidatesOf = async (resolve: Resolver, header: JWSHeaderParameters): Promise<TokenKey[]> => {
  try {
    return [await resolve(header)]
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return []
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    const keys: TokenKey[] = []
    for await (const key of error) if (keys.push(key) === MAX_CANDIDATES) break
    return keys
  }
}

const algorithmsOfJwk = (jwk: JWK, index: number): readonly JwtAlgorithm[] => {
  const option = `${OPTION}.keys[${index}]`
  const refuse = (message: string, cause?: unknown) => new ConfigurationError([{ option, message }], { cause })
  if (jwk.kty === 'oct') throw refuse('a shared secret does not belong in a key set; give it as jwtSecret')
  if (jwk.d !== undefined || jwk.priv !== undefined) throw refuse('the key is private; give the server the public one alone')
  let algorithms: readonly JwtAlgorithm[]
  try {
    algorithms = algorithmsOf(createPublicKey({ key: jwk, format: 'jwk' }), option)
  } catch (cause) {
    throw cause instanceof ConfigurationError ? cause : refuse(`the key of type ${jwk.kty} cannot be read`, cause)
  }
  return jwk.alg === undefined ? algorithms : algorithms.filter((algorithm) => algorithm === jwk.alg)
}

/** A fixed JSON Web Key Set. */
export class KeySet implements TokenKeys {
  readonly algorithms: readonly JwtAlgorithm[]
  readonly #resolve: Resolver

  constructor(jwks: JSONWebKeySet) {
    try {
      this.#resolve = createLocalJWKSet(jwks)
    } catch (cause) {
      throw new ConfigurationError([{ option: OPTION, message: 'a key set has the form { "keys": [{ "kty": … }, …] }' }], {
        cause,
      })
    }
    const forSignatures = jwks.keys.map((jwk, index) => (jwk.use === 'enc' ? [] : algorithmsOfJwk(jwk, index)))
    this.algorithms = [...new Set(forSignatures.flat())]
    if (this.algorithms.length === 0)
      throw new ConfigurationError([{ option: OPTION, message: 'the key set holds no key for signatures' }])
  }

  find(header: JWSHeaderParameters): Promise<readonly TokenKey[]> {
    return candidatesOf(this.#resolve, header)
  }
}
