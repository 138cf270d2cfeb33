import type { Environment } from '../ports/environment.ts'
import type { RefreshResult, SessionRecord, SessionStore, SessionStoreListener } from '../ports/session-store.ts'
import { type Timed, TimerWheel, type Wait } from '../timer-wheel.ts'

export interface MemorySessionsOptions {
  /** How long the trace of a session that several nodes have had is kept, in milliseconds. Default 600,000 (10 minutes). */
  readonly traceMs?: number
}

/** By this much a TTL may be late; a turn of the wheel is longer than the usual TTL. */
const SLOT_MS = 100
const SLOTS = 1024

/** One store of sessions for several nodes, in the memory of one process. */
export class MemorySessions {
  readonly #environment: Environment
  readonly #traceMs: number
  readonly #wheel: TimerWheel
  readonly #kept = new Map<string, KeptSession>()
  /** Those whose TTL or lease has ended, in that order. */
  readonly #due = new Set<KeptSession>()
  /** When each trace is forgotten; as all live equally long, the first one is the first to go. */
  readonly #traces = new Map<string, number>()
  readonly #listeners = new Map<string, SessionStoreListener>()

  constructor(environment: Environment, { traceMs = 600_000 }: MemorySessionsOptions = {}) {
    this.#environment = environment
    this.#traceMs = traceMs
    this.#wheel = new TimerWheel(environment.now(), SLOT_MS, SLOTS)
  }

  /** The store as the node of this name sees it. */
  node(node: string): SessionStore {
    return {
      start: (listener) => {
        this.#listeners.set(node, listener)
      },
      put: (records, ttlMs) => this.#put(node, records, ttlMs),
      refresh: (ids, ttlMs) => this.#refresh(node, ids, ttlMs),
      find: (id) => this.#find(id),
      take: (id, ttlMs) => this.#take(node, id, ttlMs),
      remove: (ids) => this.#remove(node, ids),
      expired: (limit, leaseMs) => this.#expired(node, limit, leaseMs),
      close: () => {
        this.#listeners.delete(node)
      },
    }
  }

  /** Sessions that it has. */
  get size(): number {
    return this.#kept.size
  }

  /** Loses everything, as a store that comes back empty. */
  forget(): void {
    for (const kept of this.#kept.values()) this.#wheel.cancel(kept)
    this.#kept.clear()
    this.#due.clear()
    this.#traces.clear()
  }

  #put(node: string, records: readonly SessionRecord[], ttlMs: number): readonly string[] {
    const now = this.#advance()
    const lost: string[] = []
    for (const record of records) {
      const kept = this.#kept.get(record.id)
      if (kept ? kept.node !== node : this.#traces.has(record.id)) {
        lost.push(record.id)
        continue
      }
      const next = kept ?? new KeptSession(record, node, this.#due)
      next.record = record
      this.#kept.set(record.id, next)
      this.#begin(next, now + ttlMs)
    }
    return lost
  }

  #refresh(node: string, ids: readonly string[], ttlMs: number): RefreshResult {
    const now = this.#advance()
    const lost: string[] = []
    const unknown: string[] = []
    for (const id of ids) {
      const kept = this.#kept.get(id)
      if (kept?.node === node) this.#begin(kept, now + ttlMs)
      else if (kept || this.#traces.has(id)) lost.push(id)
      else unknown.push(id)
    }
    return { lost, unknown }
  }

  #find(id: string): SessionRecord | undefined {
    const kept = this.#kept.get(id)
    return kept && !kept.isEnding ? kept.record : undefined
  }

  #take(node: string, id: string, ttlMs: number): SessionRecord | undefined {
    const now = this.#advance()
    const kept = this.#kept.get(id)
    if (!kept || kept.isEnding) return undefined
    const before = kept.node
    kept.give(node)
    this.#begin(kept, now + ttlMs)
    if (before !== node) this.#listeners.get(before)?.lost(id)
    return kept.record
  }

  #remove(node: string, ids: readonly string[]): readonly string[] {
    const now = this.#advance()
    const ended: string[] = []
    for (const id of ids) {
      const kept = this.#kept.get(id)
      if (kept?.node !== node) continue
      this.#wheel.cancel(kept)
      this.#due.delete(kept)
      this.#kept.delete(id)
      if (kept.hasMoved) this.#traces.set(id, now + this.#traceMs)
      ended.push(id)
    }
    return ended
  }

  #expired(node: string, limit: number, leaseMs: number): readonly SessionRecord[] {
    const now = this.#advance()
    const given: SessionRecord[] = []
    for (const kept of this.#due) {
      if (given.length >= limit) break
      kept.give(node)
      this.#begin(kept, now + leaseMs, { isEnding: true })
      given.push(kept.record)
    }
    return given
  }

  #begin(kept: KeptSession, deadline: number, { isEnding = false } = {}): void {
    kept.isEnding = isEnding
    this.#due.delete(kept)
    this.#wheel.schedule(kept, deadline)
  }

  #advance(): number {
    const now = this.#environment.now()
    this.#wheel.advance(now)
    for (const [id, until] of this.#traces) {
      if (until > now) break
      this.#traces.delete(id)
    }
    return now
  }
}

/** A session, the node that it belongs to, and what is done when its TTL or lease ends. */
class KeptSession implements Timed {
  record: SessionRecord
  node: string
  isEnding = false
  wait: Wait | undefined
  /** Whether more than one node has had it. */
  hasMoved = false
  readonly #due: Set<KeptSession>

  constructor(record: SessionRecord, node: string, due: Set<KeptSession>) {
    this.record = record
    this.node = node
    this.#due = due
  }

  give(node: string): void {
    this.hasMoved ||= node !== this.node
    this.node = node
  }

  due(): undefined {
    this.#due.add(this)
  }
}
