import { Alarm } from '../alarm.ts'
import type { ClientError } from '../client-error.ts'
import { Failure } from '../failure.ts'

/** Why a token is asked for: there was none, or the last one has run out or was refused. */
export type TokenReason = 'connect' | 'expired'

export interface TokenSource {
  readonly token?: string | undefined
  readonly getToken?: ((reason: TokenReason) => Promise<string>) | undefined
}

const MIN_REFRESH_DELAY_MS = 1_000

/** Holds a token, gets a new one where that is possible, and renews it before it ends. */
export class TokenKeeper {
  readonly #getToken: TokenSource['getToken']
  readonly #renew: (token: string) => Promise<number | undefined>
  readonly #onFailure: (failure: ClientError) => void
  readonly #alarm = new Alarm(() => this.#refresh())
  #token: string | undefined
  #expiresAt = Number.POSITIVE_INFINITY
  #reason: TokenReason = 'connect'
  /** Somebody is there to give a new token to. */
  #active = false

  /** `renew` gives a new token to the server and resolves to its end; `onFailure` hears of a renewal that failed. */
  constructor(
    { token, getToken }: TokenSource,
    renew: (token: string) => Promise<number | undefined>,
    onFailure: (failure: ClientError) => void,
  ) {
    this.#token = token
    this.#getToken = getToken
    this.#renew = renew
    this.#onFailure = onFailure
  }

  get token(): string | undefined {
    return this.#token
  }

  get isRenewable(): boolean {
    return this.#getToken !== undefined
  }

  /** A token has to be asked for before anything is sent. */
  get isMissing(): boolean {
    return this.isRenewable && (this.#token === undefined || this.#expiresAt <= Date.now())
  }

  /**
   * Gets a token if one is missing; undefined when nothing needs to be waited for. Rejects with a {@link Failure}:
   * `authentication` when `getToken` throws something whose `retryable` is false, else `transient`.
   */
  obtain(): Promise<void> | undefined {
    if (!this.#getToken || !this.isMissing) return undefined
    if (this.#token !== undefined) this.forget()
    return this.#ask(this.#getToken)
  }

  /** The token was refused, or has run out. */
  forget(): void {
    if (!this.#getToken) return
    this.#token = undefined
    this.#expiresAt = Number.POSITIVE_INFINITY
    this.#reason = 'expired'
  }

  /**
   * The server has accepted the token: it is renewed at a random moment ahead of its end. A token that seems to have
   * ended is left alone: this machine's clock is wrong, and the server will say when it ends.
   */
  accepted(expiresAt: number = Number.POSITIVE_INFINITY): void {
    this.#expiresAt = expiresAt
    this.#active = true
    const now = Date.now()
    const left = expiresAt - now
    if (this.#getToken && left > 0) this.#alarm.set(now + Math.max(MIN_REFRESH_DELAY_MS, left * (0.75 + 0.15 * Math.random())))
  }

  /** No renewal is needed while there is nobody to give it to. */
  pause(): void {
    this.#active = false
    this.#alarm.clear()
  }

  async #ask(getToken: NonNullable<TokenSource['getToken']>, reason = this.#reason): Promise<void> {
    try {
      this.#token = await getToken(reason)
      // Unknown until the server has seen it.
      this.#expiresAt = Number.POSITIVE_INFINITY
    } catch (cause) {
      const kind = (cause as { retryable?: unknown } | undefined)?.retryable === false ? 'authentication' : 'transient'
      throw new Failure(kind, 'token_unavailable', 'getToken failed', { cause })
    }
  }

  async #refresh(): Promise<void> {
    const until = this.#expiresAt
    try {
      if (this.#getToken) await this.#ask(this.#getToken, 'expired')
      if (this.#active && this.#token !== undefined) this.accepted(await this.#renew(this.#token))
    } catch (failure) {
      // Without a connection the new token waits for the next one.
      if (!this.#active) return
      this.#onFailure(failure as ClientError)
      this.accepted(until)
    }
  }
}
