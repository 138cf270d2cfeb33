import type { Revocation, TokenMark } from '../revocation.ts'
import type { Awaitable } from './broker.ts'

/** What a store of revocations tells its node. */
export interface RevocationListener {
  /** Called for each revocation, whichever node it was made on, once `isRevoked` knows of it. */
  revoked(revocation: Revocation): void
}

/**
 * Tokens that are good no more, over all nodes. A node asks for every token, on the way of its clients and between two turns of the
 * event loop: `isRevoked` MUST answer from memory. What is kept is bounded; a revocation too many MUST be refused with `overloaded`,
 * and MUST NOT push out another.
 */
export interface Revocations {
  /** MUST be called once, before anything else. When it answers, all revocations in force are known. */
  start(listener: RevocationListener): Awaitable<void>
  /**
   * Revokes until `expiresAt`, in milliseconds since the epoch. MUST have been told to this node's listener when it answers, and MUST
   * reach every other node as soon as it can be reached. MUST NOT take anything back of an earlier one: of two for the same token
   * or user the later end, and the later `issuedBefore`, hold. Errors MUST be {@link FusewireError}s.
   */
  revoke(revocation: Revocation, expiresAt: number): Awaitable<void>
  isRevoked(token: TokenMark): boolean
  /** Revocations in force, as far as this node knows. */
  readonly size: number
  close(): Awaitable<void>
}
