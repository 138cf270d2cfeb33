import { MIN_SECRET_BYTES } from '../config/auth-options.ts'
import { ConfigurationError } from '../config/configuration-error.ts'
import { SECRET_ALGORITHMS } from './token-algorithms.ts'
import type { TokenKey, TokenKeys } from './token-keys.ts'

/** The UTF-8 bytes of a shared secret, refused when too short to resist guessing. */
export const secretBytes = (secret: string, option = 'jwtSecret'): Uint8Array => {
  const bytes = new TextEncoder().encode(secret)
  if (bytes.length >= MIN_SECRET_BYTES) return bytes
  throw new ConfigurationError([
    {
      option,
      message: `the secret has ${bytes.length} bytes and needs at least ${MIN_SECRET_BYTES}; make one with "openssl rand -base64 32"`,
    },
  ])
}

/** One secret shared with whoever signs the tokens. */
export class SecretKeys implements TokenKeys {
  readonly algorithms = SECRET_ALGORITHMS
  readonly #keys: readonly TokenKey[]

  constructor(secret: string) {
    this.#keys = [secretBytes(secret)]
  }

  async find(): Promise<readonly TokenKey[]> {
    return this.#keys
  }
}
