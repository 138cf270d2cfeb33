import type { Attendance } from './attendance.ts'
import { firstOf } from './first-of.ts'
import type { Log } from './log.ts'
import type { Awaitable } from './ports/broker.ts'
import type { SessionStore } from './ports/session-store.ts'
import { RenewingMap } from './renewing-map.ts'
import type { Session } from './session.ts'
import { recordOf } from './session-record.ts'
import { isFinal, type StoreWatch } from './store-watch.ts'

export interface SessionUpkeepPorts {
  readonly now: () => number
  readonly store: SessionStore
  readonly watch: StoreWatch
  readonly attendance: Attendance
  /** How long the store keeps a session that is not refreshed, in milliseconds. */
  readonly ttlMs: number
  /** Each session is refreshed once in this time, in milliseconds. */
  readonly refreshMs: number
  /** Sessions of these ids are not this node's any more. Settles when they have been let go; never rejects. */
  readonly onLost: (ids: readonly string[]) => Promise<void>
  readonly log: Log
}

/** Sessions in one call. */
const BATCH = 500

/**
 * Tells the store what this node's sessions are, and that they are still there: what has changed with the next tick, or at once where
 * somebody waits for it, all else evenly spread over the time of a refresh. One call is under way at a time, so that a store that is
 * slow or away is asked no faster than it answers; what it has not taken is tried again.
 */
export class SessionUpkeep {
  readonly #ports: SessionUpkeepPorts
  /** Not yet told, or told otherwise since; and who waits for it. */
  readonly #changed = new RenewingMap<Session, (() => void)[]>()
  /** Those that the store may know, with the time at which it was told last; the oldest come first. */
  readonly #known = new Map<Session, number>()
  /** Those that the store has refused for what they are. */
  readonly #refused = new WeakSet<Session>()
  #running: Promise<void> | undefined
  /** How many sessions may be refreshed before their time is over, so that there is no crowd when it is. */
  #credit = 0
  #creditAt: number

  constructor(ports: SessionUpkeepPorts) {
    this.#ports = ports
    this.#creditAt = ports.now()
  }

  changed(session: Session): void {
    if (!this.#changed.has(session)) this.#changed.set(session, [])
  }

  /**
   * What it is now is told at once. Settles when the store has taken it, or has refused it: there is a next time. While the store is away
   * nobody waits. Never rejects.
   */
  record(session: Session): Awaitable<void> {
    this.changed(session)
    if (this.#ports.watch.isAway) return undefined
    this.tick()
    return new Promise((resolve) => this.#changed.get(session)?.push(resolve))
  }

  /** The store has told of it just now. */
  took(session: Session): void {
    this.#known.delete(session)
    this.#known.set(session, this.#ports.now())
  }

  /** It is to be told of this session no more. Answers whether it may know of it. */
  forget(session: Session): boolean {
    settle(this.#changed.get(session))
    this.#changed.delete(session)
    return this.#known.delete(session)
  }

  isKnown(session: Session): boolean {
    return this.#known.has(session)
  }

  /** What has changed is told now, where this has. Never rejects. */
  hurry(session: Session): void {
    if (this.#changed.has(session)) this.tick()
  }

  /** Never rejects, and does nothing while it is still at it. */
  tick(): Promise<void> {
    const now = this.#ports.now()
    this.#credit = Math.min(
      this.#known.size,
      this.#credit + (this.#known.size * Math.max(0, now - this.#creditAt)) / this.#ports.refreshMs,
    )
    this.#creditAt = now
    this.#running ??= this.#run()
    return this.#running
  }

  /** Everything is told and refreshed, once; what the store refuses is left for later. */
  async all(): Promise<void> {
    await this.#running
    for (const session of this.#known.keys()) this.#known.set(session, Number.NEGATIVE_INFINITY)
    await this.tick()
  }

  async #run(): Promise<void> {
    // Whatever changes in this turn comes along.
    await undefined
    for (let isTaking = true; ; ) {
      const hasChanged = isTaking && this.#changed.size > 0
      if (hasChanged) isTaking = await this.#put(firstOf(this.#changed.keys(), BATCH))
      // By turns: changes may come without end, and whoever is not refreshed meanwhile is taken for dead.
      const due = this.#due()
      if (due.length > 0 ? !(await this.#refresh(due)) : !hasChanged) break
    }
    // What has not been told is not taken now.
    for (const waiting of this.#changed.values()) settle(waiting)
    this.#running = undefined
  }

  /** False when the store is away. */
  async #put(sessions: readonly Session[]): Promise<boolean> {
    const { store, watch, ttlMs, onLost } = this.#ports
    const waiting = sessions.flatMap((session) => this.#changed.get(session) ?? [])
    for (const session of sessions) {
      this.#changed.delete(session)
      this.took(session)
    }
    try {
      await onLost(await watch.call(() => store.put(sessions.map(recordOf), ttlMs)))
      return true
    } catch (error) {
      if (isFinal(error)) return await this.#putApart(sessions, error)
      for (const session of sessions) if (this.#known.has(session)) this.changed(session)
      return false
    } finally {
      settle(waiting)
    }
  }

  /** One of them is more than the store takes: it stays this node's alone, and does not hold up the others. */
  async #putApart(sessions: readonly Session[], error: unknown): Promise<boolean> {
    const [first, ...others] = sessions
    if (first && others.length === 0) {
      if (!this.#refused.has(first)) this.#ports.log('session_not_shared', { session: first.id, error })
      this.#refused.add(first)
      return true
    }
    for (const session of sessions) if (this.#known.has(session)) this.changed(session)
    const half = Math.ceil(sessions.length / 2)
    const living = (part: readonly Session[]) => part.filter((session) => this.#changed.has(session))
    return (await this.#put(living(sessions.slice(0, half)))) && (await this.#put(living(sessions.slice(half))))
  }

  #due(): readonly Session[] {
    const before = this.#ports.now() - this.#ports.refreshMs
    const sessions: Session[] = []
    for (const [session, toldAt] of this.#known) {
      if (sessions.length >= BATCH || (toldAt > before && sessions.length + 1 > this.#credit)) break
      sessions.push(session)
    }
    return sessions
  }

  /** False when the store is away. */
  async #refresh(sessions: readonly Session[]): Promise<boolean> {
    const { store, watch, attendance, ttlMs, onLost } = this.#ports
    const ids = sessions.map(({ id }) => id)
    const result = await watch.probe(() => store.refresh(ids, ttlMs))
    if (!result) return false
    this.#credit = Math.max(0, this.#credit - sessions.length)
    const unknown = new Set(result.unknown)
    // Whose presence this is has to be settled before it is refreshed.
    await onLost(result.lost)
    const living = sessions.filter((session) => this.#known.has(session))
    for (const session of living) {
      this.took(session)
      if (unknown.has(session.id)) this.changed(session)
    }
    await attendance.refresh(living)
    return true
  }
}

/** Nobody of them waits any longer. */
const settle = (waiting: (() => void)[] = []): void => {
  for (const go of waiting.splice(0)) go()
}
