import { FusewireError } from '@fusewire/protocol'
import type { Environment } from '../ports/environment.ts'
import type { RevocationListener, Revocations } from '../ports/revocations.ts'
import { isRevokedBy, type Revocation, type TokenMark } from '../revocation.ts'

export interface MemoryRevocationsOptions {
  /** Revocations in force at a time. Default 100,000. */
  readonly maxRevocations?: number
}

interface Kept {
  readonly revocation: Revocation
  readonly expiresAt: number
}

/** Revocations of a single process; they end with it. */
export class MemoryRevocations implements Revocations {
  readonly #environment: Pick<Environment, 'now'>
  readonly #maxRevocations: number
  readonly #tokens = new Map<string, Kept>()
  readonly #users = new Map<string, Kept>()
  #listener: RevocationListener | undefined

  constructor(environment: Pick<Environment, 'now'>, { maxRevocations = 100_000 }: MemoryRevocationsOptions = {}) {
    this.#environment = environment
    this.#maxRevocations = maxRevocations
  }

  get size(): number {
    return this.#tokens.size + this.#users.size
  }

  start(listener: RevocationListener): void {
    this.#listener = listener
  }

  revoke(revocation: Revocation, expiresAt: number): void {
    const [kept, key] = 'token' in revocation ? [this.#tokens, revocation.token] : [this.#users, revocation.user]
    const before = kept.get(key)
    if (!before) this.#makeRoom()
    kept.set(key, before ? both(before, { revocation, expiresAt }) : { revocation, expiresAt })
    this.#listener?.revoked(revocation)
  }

  isRevoked(token: TokenMark): boolean {
    const { tokenId, user } = token
    return (
      (tokenId !== undefined && this.#covers(this.#tokens.get(tokenId), token)) ||
      (user !== undefined && this.#covers(this.#users.get(user), token))
    )
  }

  /** Whether revoking this would change nothing. */
  holds(revocation: Revocation, expiresAt: number): boolean {
    const kept = 'token' in revocation ? this.#tokens.get(revocation.token) : this.#users.get(revocation.user)
    if (!kept || kept.expiresAt < expiresAt) return false
    return 'token' in revocation || 'token' in kept.revocation || kept.revocation.issuedBefore >= revocation.issuedBefore
  }

  /** What is in force, each with its end in milliseconds since the epoch. */
  entries(): readonly (readonly [revocation: Revocation, expiresAt: number])[] {
    const now = this.#environment.now()
    const all = [...this.#tokens.values(), ...this.#users.values()]
    return all.filter(({ expiresAt }) => expiresAt > now).map(({ revocation, expiresAt }) => [revocation, expiresAt] as const)
  }

  /** Forgets what has ended. To be called now and then. */
  sweep(): void {
    const now = this.#environment.now()
    for (const kept of [this.#tokens, this.#users])
      for (const [key, { expiresAt }] of kept) if (expiresAt <= now) kept.delete(key)
  }

  close(): void {
    this.#listener = undefined
  }

  #covers(kept: Kept | undefined, token: TokenMark): boolean {
    return kept !== undefined && kept.expiresAt > this.#environment.now() && isRevokedBy(token, kept.revocation)
  }

  #makeRoom(): void {
    if (this.size < this.#maxRevocations) return
    this.sweep()
    if (this.size >= this.#maxRevocations)
      throw new FusewireError('overloaded', `maxRevocations (${this.#maxRevocations}) are in force; nothing was revoked`)
  }
}

/** A later revocation takes nothing back. */
const both = (earlier: Kept, later: Kept): Kept => {
  const expiresAt = Math.max(earlier.expiresAt, later.expiresAt)
  if ('token' in earlier.revocation || 'token' in later.revocation) return { revocation: later.revocation, expiresAt }
  const issuedBefore = Math.max(earlier.revocation.issuedBefore, later.revocation.issuedBefore)
  return { revocation: { ...later.revocation, issuedBefore }, expiresAt }
}
