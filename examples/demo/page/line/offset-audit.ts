export interface AuditCounts {
  readonly received: number
  /** Offsets that were skipped. */
  readonly gaps: number
  /** Offsets that came again. */
  readonly duplicates: number
}

/**
 * Checks the promise of the server and the SDK from outside: in every channel, offsets grow by exactly one. It trusts nothing
 * but what the rooms are given.
 */
export class OffsetAudit {
  readonly #newest = new Map<string, number>()
  #counts: AuditCounts = { received: 0, gaps: 0, duplicates: 0 }

  get counts(): AuditCounts {
    return this.#counts
  }

  /** The channel's stream begins after this offset: a first subscription, or one that was told that something is missing. */
  startAt(channel: string, offset: number): void {
    this.#newest.set(channel, offset)
  }

  received(channel: string, offset: number): void {
    const { received, gaps, duplicates } = this.#counts
    const newest = this.#newest.get(channel) ?? offset - 1
    this.#newest.set(channel, Math.max(newest, offset))
    this.#counts = {
      received: received + 1,
      gaps: gaps + Math.max(0, offset - newest - 1),
      duplicates: duplicates + (offset <= newest ? 1 : 0),
    }
  }
}
