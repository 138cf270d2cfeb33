/** One token by its id, or every token of a user that was issued at this time or before, in milliseconds since the epoch. */
export type Revocation = { readonly token: string } | { readonly user: string; readonly issuedBefore: number }

/** What a token says of itself, as far as revocations look at it. */
export interface TokenMark {
  /** Its `jti`. */
  readonly tokenId?: string
  /** Its `sub`. */
  readonly user?: string
  /** Its `iat`, in milliseconds since the epoch. */
  readonly issuedAt?: number
}

/**
 * Whether the revocation is about this token. `iat` has seconds: who was given a token within the second of the revocation, before
 * it or after it, has lost it. So has who was given one that does not say when.
 */
export const isRevokedBy = ({ tokenId, user, issuedAt }: TokenMark, revocation: Revocation): boolean =>
  'token' in revocation
    ? tokenId === revocation.token
    : user === revocation.user && (issuedAt === undefined || issuedAt <= revocation.issuedBefore)
