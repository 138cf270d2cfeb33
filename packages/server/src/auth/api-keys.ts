import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { MIN_API_KEY_LENGTH } from '../config/auth-options.ts'
import { ConfigurationError } from '../config/configuration-error.ts'

const check = (key: string, index: number): void => {
  const refuse = (message: string) => new ConfigurationError([{ option: `apiKeys[${index}]`, message }])
  if (key.length < MIN_API_KEY_LENGTH)
    throw refuse(
      `the key has ${key.length} characters and needs at least ${MIN_API_KEY_LENGTH}; make one with "openssl rand -hex 16"`,
    )
  // What cannot stand in an Authorization header can never be sent.
  if (!/^[\x21-\x7e]+$/u.test(key)) throw refuse('the key must consist of printable ASCII characters without spaces')
}

/** The keys that open the HTTP API. Checking takes the same time for every key of a length, right or wrong. */
export class ApiKeys {
  /** Of this process alone, so that digests in a core dump cannot be looked up. */
  readonly #pepper = randomBytes(32).toString('hex')
  readonly #digests: readonly Buffer[]

  /** @throws {@link ConfigurationError} for a key that is too short or could not be sent. */
  constructor(keys: readonly string[]) {
    keys.forEach(check)
    this.#digests = keys.map((key) => this.#digest(key))
  }

  get none(): boolean {
    return this.#digests.length === 0
  }

  includes(given: string): boolean {
    const wanted = this.#digest(given)
    let found = false
    // Every key is compared, also after a match: the time tells nothing about which one it was.
    for (const known of this.#digests) found = timingSafeEqual(known, wanted) || found
    return found
  }

  #digest(key: string): Buffer {
    // Nobody sees it, so it need not be an HMAC, which takes twice the time for every request.
    return hash('sha256', this.#pepper + key, 'buffer')
  }
}
