import {
  type Environment,
  MemoryRevocations,
  type Revocation,
  type RevocationListener,
  type Revocations,
  type TokenMark,
} from '@fusewire/engine'
import type { HubCalls } from './hub-calls.ts'

/** A worker's copy of the revocations that all workers of a server share: the hub decides, and tells every worker. */
export class HubRevocations implements Revocations {
  readonly #calls: HubCalls
  readonly #copy: MemoryRevocations

  constructor(calls: HubCalls, environment: Pick<Environment, 'now'>) {
    this.#calls = calls
    // How many may be kept is for the hub to say.
    this.#copy = new MemoryRevocations(environment, { maxRevocations: Number.POSITIVE_INFINITY })
  }

  get size(): number {
    return this.#copy.size
  }

  async start(listener: RevocationListener): Promise<void> {
    this.#calls.on('revoked', (revocation, expiresAt) => this.#copy.revoke(revocation, expiresAt))
    for (const [revocation, expiresAt] of await this.#calls.ask('revocations.start')) this.#copy.revoke(revocation, expiresAt)
    this.#copy.start(listener)
  }

  revoke(revocation: Revocation, expiresAt: number): Promise<void> {
    return this.#calls.ask('revocations.revoke', revocation, expiresAt)
  }

  isRevoked(token: TokenMark): boolean {
    return this.#copy.isRevoked(token)
  }

  /** Forgets what has ended. To be called now and then. */
  sweep(): void {
    this.#copy.sweep()
  }

  close(): void {
    this.#copy.close()
  }
}
