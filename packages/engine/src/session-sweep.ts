import type { Environment } from './ports/environment.ts'
import type { SessionRecord, SessionStore } from './ports/session-store.ts'
import type { SessionEnds } from './session-ends.ts'
import type { Counters } from './stats.ts'
import type { StoreWatch } from './store-watch.ts'

export interface SessionSweepPorts {
  readonly environment: Environment
  readonly store: SessionStore
  readonly watch: StoreWatch
  readonly ends: SessionEnds
  readonly counters: Counters
  /**
   * Nothing is swept until the store has been there for this long, in milliseconds: while it was away nobody could refresh, and all nodes
   * do so first. What was before, a node that has just begun does not know.
   */
  readonly calmMs: number
  /** True where the session lives or ends here: then it has been seen to. */
  readonly keeps: (record: SessionRecord) => boolean
}

/** About this often, in milliseconds; each node at moments of its own. */
const SWEEP_MS = 1000
/** Sessions in one call. */
const BATCH = 100
/** Sessions in a second, however often it sweeps: a dead node may leave many thousand, and the application hears of each. */
const MAX_PER_SECOND = 1000
/** Without a tick for longer than this, in milliseconds, the clock may have leapt, and nobody has looked yet. */
const MAX_TICK_GAP_MS = 1000
/** How long the others leave alone what this node was given to end, in milliseconds. */
const LEASE_MS = 10_000

/** Ends the sessions that no node has refreshed for their TTL: those of nodes that have died. */
export class SessionSweep {
  readonly #ports: SessionSweepPorts
  /** Everybody knows that these have ended, except for the store. */
  readonly #concluded = new Set<string>()
  #running: Promise<void> | undefined
  #isClosed = false
  /** Something is due that it may not have looked at. */
  #isHurried = false
  /** Sessions that it has been given in the second that began then. */
  #given = 0
  #givenFrom = 0
  #tickedAt: number
  #nextAt: number

  constructor(ports: SessionSweepPorts) {
    this.#ports = ports
    this.#tickedAt = ports.environment.now()
    this.#nextAt = this.#tickedAt + this.#pauseMs()
  }

  /** Something has come due: it sweeps now, or as soon as it may. */
  hurry(): void {
    this.#isHurried = true
    this.#begin()
  }

  /** To be called several times a second, by one who has looked at the clock. */
  tick(): void {
    this.#tickedAt = this.#ports.environment.now()
    this.#begin()
  }

  /** Ends nothing more. Settles once everybody knows of what it was about to end; never rejects. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  #begin(): void {
    const now = this.#ports.environment.now()
    // The clock may have been set back.
    this.#nextAt = Math.min(this.#nextAt, now + 2 * SWEEP_MS)
    if (this.#isClosed || this.#running || (now < this.#nextAt && !(this.#isHurried && this.#mayEnd()))) return
    this.#running = this.#run()
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    if (this.#mayEnd())
      do {
        this.#isHurried = false
        await this.#sweep()
      } while (this.#isHurried && !this.#isClosed && this.#mayEnd())
    else await this.#look()
    this.#nextAt = this.#ports.environment.now() + this.#pauseMs()
    this.#running = undefined
  }

  /** Whether what is due is due because nobody wants it, and not because nobody could refresh it, and may be ended in this second. */
  #mayEnd(): boolean {
    const { environment, watch, calmMs } = this.#ports
    const now = environment.now()
    if (Math.abs(now - this.#givenFrom) >= 1000) this.#given = 0
    return watch.calmMs >= calmMs && Math.abs(now - this.#tickedAt) <= MAX_TICK_GAP_MS && this.#given < MAX_PER_SECOND
  }

  /** Finds out whether the store is still away: a node without sessions asks it nothing else, and would take its own silence for calm. */
  async #look(): Promise<void> {
    const { store, watch } = this.#ports
    await watch.probe(() => store.expired(0, LEASE_MS))
  }

  async #sweep(): Promise<void> {
    const { environment, store, watch, keeps, counters } = this.#ports
    const limit = Math.min(BATCH, MAX_PER_SECOND - this.#given)
    const records = await watch.probe(() => store.expired(limit, LEASE_MS))
    if (!records || records.length === 0) return
    if (this.#given === 0) this.#givenFrom = environment.now()
    this.#given += records.length
    const dead = records.filter((record) => !keeps(record))
    const concluded = await Promise.all(dead.map((record) => this.#conclude(record)))
    const ids = dead.filter((_, index) => concluded[index]).map(({ id }) => id)
    const ended = await watch.attempt(() => store.remove(ids))
    if (!ended) return
    counters.sessionsSwept += ended.length
    for (const id of ids) this.#concluded.delete(id)
    // There may be more.
    if (records.length === limit && ids.length === dead.length) this.#isHurried = true
  }

  /** False when it has to be done again. */
  async #conclude(record: SessionRecord): Promise<boolean> {
    if (this.#concluded.has(record.id)) return true
    try {
      await this.#ports.ends.conclude(record, 'expired')
    } catch {
      return false
    }
    this.#concluded.add(record.id)
    return true
  }

  #pauseMs(): number {
    return SWEEP_MS * (0.5 + this.#ports.environment.random())
  }
}
