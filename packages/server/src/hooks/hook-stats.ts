import type { HookEvent } from '@fusewire/engine'

/** `told`: notices have arrived. `failed`: it could not be asked or told. `overloaded`: too many questions waited. */
export type HookOutcome = 'allow' | 'deny' | 'skip' | 'told' | 'failed' | 'overloaded'

/** Why a notice was dropped: the queue was full, it had waited too long, the backend does not take it, or the server has ended. */
export type DropReason = 'queue_full' | 'too_old' | 'refused' | 'closed'

interface Calls {
  readonly event: HookEvent
  readonly outcome: HookOutcome
  count: number
}

/** The counters at one moment. */
export interface HookSnapshot {
  readonly calls: readonly Readonly<Calls>[]
  /** How long questions have taken, by event, in milliseconds. */
  readonly durationMs: Readonly<Partial<Record<HookEvent, number>>>
  readonly dropped: Readonly<Record<DropReason, number>>
  /** Questions that wait for their answer. */
  readonly pending: number
  /** Notices that wait to be told. */
  readonly queued: number
  /** State of the circuit breaker of each backend. */
  readonly breakers: readonly ('closed' | 'open' | 'half_open')[]
}

/** Counts what becomes of questions and notices; read by the metrics when they are scraped. */
export class HookStats {
  readonly #calls = new Map<string, Calls>()
  readonly #durationMs: Partial<Record<HookEvent, number>> = {}
  readonly dropped: Record<DropReason, number> = { queue_full: 0, too_old: 0, refused: 0, closed: 0 }
  pending = 0
  queued = 0

  call(event: HookEvent, outcome: HookOutcome): void {
    const key = `${event} ${outcome}`
    const calls = this.#calls.get(key)
    if (calls) calls.count++
    else this.#calls.set(key, { event, outcome, count: 1 })
  }

  took(event: HookEvent, ms: number): void {
    this.#durationMs[event] = (this.#durationMs[event] ?? 0) + ms
  }

  snapshot(): Omit<HookSnapshot, 'breakers'> {
    const { dropped, pending, queued } = this
    return { calls: [...this.#calls.values()], durationMs: this.#durationMs, dropped, pending, queued }
  }
}
