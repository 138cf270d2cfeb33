import { createRemoteJWKSet, customFetch, type FetchImplementation, type JWSHeaderParameters, type RemoteJWKSet } from 'jose'
import { ConfigurationError } from '../config/configuration-error.ts'
import { jwksUrlProblem } from './jwks-url.ts'
import { candidatesOf } from './key-set.ts'
import { PUBLIC_KEY_ALGORITHMS } from './token-algorithms.ts'
import { KeysUnavailableError, type TokenKey, type TokenKeys } from './token-keys.ts'

export interface RemoteKeySetOptions {
  readonly url: string
  /** Cleartext `http:` is refused unless it stays on this machine, or this is true. Default false. */
  readonly allowHttp?: boolean
  /** A fetch that takes longer has failed. Default 5,000. */
  readonly timeoutMs?: number
  /** Keys older than this are fetched again before they are used. Default 600,000 (10 minutes). */
  readonly cacheMs?: number
  /** While the address does not answer, keys go on being used until they are this old. Default 3,600,000 (1 hour). */
  readonly maxStaleMs?: number
  /** A token with an unknown `kid` leads to a fetch at most this often. Default 10,000. */
  readonly cooldownMs?: number
  /** After a failed fetch nothing is fetched for this long. Default 2,000. */
  readonly retryMs?: number
  /** A longer answer is refused. Default 1,048,576. */
  readonly maxBytes?: number
  /** Hears of every failed fetch, for the log. */
  readonly onError?: (error: KeysUnavailableError) => void
}

/** The innermost reason: `fetch failed` says nothing, its cause `connect ECONNREFUSED …` does. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message
}

/** Checks the status and holds the answer to a size, which `response.json()` alone would not. */
const boundedFetch =
  (maxBytes: number): FetchImplementation =>
  async (url, options) => {
    const response = await fetch(url, options)
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new Error(
        `answered ${response.status}${response.status >= 300 && response.status < 400 ? '; redirects are not followed' : ''}`,
      )
    }
    const chunks: Uint8Array<ArrayBuffer>[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > maxBytes) throw new Error(`answered more than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return new Response(new Blob(chunks))
  }

/**
 * A JSON Web Key Set at an address, with rotation: a key that is not known yet is looked for there, keys that have gone from
 * there go from here when `cacheMs` is over, and an outage of the address is survived for `maxStaleMs`.
 */
export class RemoteKeySet implements TokenKeys {
  readonly algorithms = PUBLIC_KEY_ALGORITHMS
  readonly #address: string
  readonly #keys: RemoteJWKSet
  readonly #options: Required<Omit<RemoteKeySetOptions, 'url' | 'allowHttp'>>
  #fetchedAt = Number.NEGATIVE_INFINITY
  #failure: { readonly at: number; readonly error: KeysUnavailableError } | undefined
  #pending: Promise<void> | undefined

  constructor({ url, allowHttp = false, ...options }: RemoteKeySetOptions) {
    const problem = jwksUrlProblem(url, allowHttp)
    if (problem !== undefined) throw new ConfigurationError([{ option: 'jwksUrl', message: problem }])
    const parsed = new URL(url)
    // The query may carry a key of the identity provider: it stays out of messages.
    this.#address = `${parsed.origin}${parsed.pathname}`
    this.#options = {
      timeoutMs: 5_000,
      cacheMs: 600_000,
      maxStaleMs: 3_600_000,
      cooldownMs: 10_000,
      retryMs: 2_000,
      maxBytes: 1_048_576,
      onError: () => {},
      ...options,
    }
    this.#keys = createRemoteJWKSet(parsed, {
      timeoutDuration: this.#options.timeoutMs,
      // When to fetch is decided here: the library would refuse every token at the first failure after the cache has aged.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: Number.POSITIVE_INFINITY,
      [customFetch]: boundedFetch(this.#options.maxBytes),
    })
  }

  /** Fetches the keys before the first token comes; a failure is reported, and tried again with the first token. */
  prefetch(): void {
    this.#fetch().catch(() => {})
  }

  async find(header: JWSHeaderParameters): Promise<readonly TokenKey[]> {
    const { cacheMs, maxStaleMs, cooldownMs } = this.#options
    if (this.#age() >= cacheMs) {
      try {
        await this.#fetch()
      } catch (error) {
        if (this.#age() >= maxStaleMs) throw error
      }
    }
    const known = await candidatesOf(this.#keys, header)
    if (known.length > 0 || this.#age() < cooldownMs) return known
    await this.#fetch()
    return candidatesOf(this.#keys, header)
  }

  #age(): number {
    return Date.now() - this.#fetchedAt
  }

  #fetch(): Promise<void> {
    if (this.#failure && Date.now() - this.#failure.at < this.#options.retryMs) return Promise.reject(this.#failure.error)
    this.#pending ??= this.#fetchOnce().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #fetchOnce(): Promise<void> {
    try {
      await this.#keys.reload()
      this.#fetchedAt = Date.now()
      this.#failure = undefined
    } catch (cause) {
      const error = new KeysUnavailableError(`the keys at jwksUrl ${this.#address} cannot be fetched: ${reasonOf(cause)}`, {
        cause,
      })
      this.#failure = { at: Date.now(), error }
      this.#options.onError(error)
      throw error
    }
  }
}
