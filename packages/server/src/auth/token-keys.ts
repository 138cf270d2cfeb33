import type { KeyObject } from 'node:crypto'
import type { CryptoKey, JWSHeaderParameters } from 'jose'
import type { JwtAlgorithm } from './token-algorithms.ts'

export type TokenKey = CryptoKey | KeyObject | Uint8Array

/** Where the keys come from that tokens are checked with. */
export interface TokenKeys {
  /** The only algorithms that {@link TokenKeys.find} may be asked for. MUST follow from the keys, never from a token. */
  readonly algorithms: readonly JwtAlgorithm[]
  /**
   * The keys that may have signed a token with this header; none when there is no such key. MUST answer or fail within a
   * bounded time, with {@link KeysUnavailableError} when it cannot know.
   */
  find(header: JWSHeaderParameters): Promise<readonly TokenKey[]>
}

/** The keys cannot be had now. No word on the token: it may be good. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError'
}
