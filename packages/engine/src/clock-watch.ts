/**
 * Between two ticks the clock moves by less than a heartbeat may be late, unless it leaps; within these bounds, for ticks have their own
 * interval, however short a heartbeat may take.
 */
const MIN_TICK_GAP_MS = 1000
const MAX_TICK_GAP_MS = 5000

/** Notices that the clock was set, or that this process stood still and has not read what clients have sent: their silence tells nothing. */
export class ClockWatch {
  readonly #gapMs: number
  #tickedAt: number

  /** `pongTimeoutMs`: by how much a heartbeat may be late. */
  constructor(now: number, pongTimeoutMs: number) {
    this.#gapMs = Math.min(MAX_TICK_GAP_MS, Math.max(MIN_TICK_GAP_MS, pongTimeoutMs))
    this.#tickedAt = now
  }

  /** Whether the clock has leapt since the last tick; each leap is told once. */
  leapt(now: number): boolean {
    if (Math.abs(now - this.#tickedAt) <= this.#gapMs) return false
    this.#tickedAt = now
    return true
  }

  /** The same, at a tick. */
  tick(now: number): boolean {
    const leapt = this.leapt(now)
    this.#tickedAt = now
    return leapt
  }
}
