import type { KeyObject } from 'node:crypto'
import { JWT_ALGORITHMS } from '../config/auth-options.ts'
import { ConfigurationError } from '../config/configuration-error.ts'

/** A signature algorithm of RFC 7518 or RFC 8037. `none` is not one of them and never accepted. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number]

export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const satisfies readonly JwtAlgorithm[]
export const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const satisfies readonly JwtAlgorithm[]
export const ED25519_ALGORITHMS = ['EdDSA', 'Ed25519'] as const satisfies readonly JwtAlgorithm[]

/** What a public key can be used with. A key set may hold keys of every kind. */
export const PUBLIC_KEY_ALGORITHMS: readonly JwtAlgorithm[] = JWT_ALGORITHMS.filter((name) => !name.startsWith('HS'))

/** RFC 7518 section 3.3. */
const MIN_RSA_BITS = 2048

const CURVES: Readonly<Record<string, readonly JwtAlgorithm[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
}

/**
 * The algorithms that a key may be used with. They follow from the key and never from the token, so that a public key can
 * never be taken for a shared secret.
 * @throws {@link ConfigurationError} naming `option` when there are none.
 */
export const algorithmsOf = (key: KeyObject, option: string): readonly JwtAlgorithm[] => {
  const refuse = (message: string) => new ConfigurationError([{ option, message }])
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength >= MIN_RSA_BITS) return RSA_ALGORITHMS
      throw refuse(`the RSA key has ${modulusLength} bits and needs at least ${MIN_RSA_BITS}; make a new one`)
    case 'ed25519':
      return ED25519_ALGORITHMS
    case 'ec': {
      const algorithms = CURVES[namedCurve]
      if (algorithms) return algorithms
      throw refuse(`the key is on the curve ${namedCurve}, which JWT has no algorithm for here; use P-256, P-384 or P-521`)
    }
    case 'rsa-pss':
      throw refuse(
        'the key is marked for RSA-PSS alone, which is not supported; a plain RSA key serves PS256, PS384 and PS512 as well',
      )
    default:
      throw refuse(`a key of type ${key.asymmetricKeyType} cannot sign tokens; use RSA, EC or Ed25519`)
  }
}

/**
 * Narrows what the keys allow to what the operator wants.
 * @throws {@link ConfigurationError} when the wanted algorithms do not fit the keys.
 */
export const chooseAlgorithms = (
  possible: readonly JwtAlgorithm[],
  wanted: readonly string[] | undefined,
): ReadonlySet<JwtAlgorithm> => {
  if (wanted === undefined) return new Set(possible)
  const chosen = new Set<JwtAlgorithm>()
  for (const name of wanted) {
    const algorithm = possible.find((candidate) => candidate === name)
    if (algorithm === undefined)
      throw new ConfigurationError([
        {
          option: 'jwtAlgorithms',
          message: `${name} does not fit the configured keys, which can be used with ${possible.join(', ')}`,
        },
      ])
    chosen.add(algorithm)
  }
  if (chosen.size === 0)
    throw new ConfigurationError([{ option: 'jwtAlgorithms', message: 'an empty list would refuse every token; leave it out' }])
  return chosen
}
