import type { DisconnectCode } from '@fusewire/protocol'
import { firstOf } from './first-of.ts'
import { isSameSecret } from './is-same-secret.ts'
import type { SessionRecord, SessionStore, SessionStoreListener } from './ports/session-store.ts'
import type { Session, SessionEnd } from './session.ts'
import type { SessionEnds } from './session-ends.ts'
import { recordOf, sessionIdOf } from './session-record.ts'
import type { SessionSweep } from './session-sweep.ts'
import type { SessionUpkeep } from './session-upkeep.ts'
import type { Sessions } from './sessions.ts'
import type { Counters } from './stats.ts'
import type { StoreWatch } from './store-watch.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface SharedSessionsPorts {
  readonly store: SessionStore
  readonly watch: StoreWatch
  readonly upkeep: SessionUpkeep
  readonly sweep: SessionSweep
  readonly ends: SessionEnds
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  readonly counters: Counters
  /** How long the store keeps a session that is not refreshed, in milliseconds. */
  readonly ttlMs: number
}

/** A session that has ended here, until it is certain that nobody else has taken it. */
interface Ending {
  readonly record: SessionRecord
  readonly reason: SessionEnd
  /** The store was asked, and nobody knows whether it has done it. */
  isUnsure: boolean
}

/** Sessions in one call. */
const BATCH = 500

/** Ends that wait for the store, at most; those beyond are left to whoever sweeps. */
const MAX_ENDINGS = 100_000

/**
 * The sessions of this node among those of all nodes: taken over from others, and let go to them. The store decides whose a session is,
 * and who ends it; while it is away, everybody goes on with what they have.
 */
export class SharedSessions implements SessionStoreListener {
  readonly #ports: SharedSessionsPorts
  /** By session. */
  readonly #endings = new Map<string, Ending>()
  /** Sessions that another node may have taken. */
  readonly #doubted = new Set<string>()
  /** Sessions that another node has, while it is being found out why. */
  readonly #leaving = new Set<string>()
  #ending: Promise<void> | undefined
  #asking: Promise<void> | undefined

  constructor(ports: SharedSessionsPorts) {
    this.#ports = ports
  }

  /** To be awaited before the first connection. */
  async start(): Promise<void> {
    await this.#ports.store.start(this)
  }

  /** To be called several times a second. */
  tick(): void {
    this.#ports.upkeep.tick()
    this.#endSoon()
    this.#askSoon()
    this.#ports.sweep.tick()
    this.#ports.ends.tick()
  }

  /** Some other node, or this one by a newer connection: which it is, the store knows. */
  lost(session: string): void {
    if (!this.#local(session)) return
    this.#doubted.add(session)
    this.#askSoon()
  }

  due(): void {
    this.#ports.sweep.hurry()
  }

  /** This node stood still, and others may have taken or ended what it had. Settles when it knows; never rejects. */
  woke(): Promise<void> {
    this.#ports.watch.disturbed()
    return this.#ports.upkeep.all()
  }

  /** What a connection wants to go on with, on whichever node it is. Rejects with `broker_unavailable` when that cannot be said. */
  async find(resumeToken: string): Promise<SessionRecord | undefined> {
    const id = sessionIdOf(resumeToken)
    if (id === '' || this.#endings.has(id)) return undefined
    const record = await this.#ports.watch.call(() => this.#ports.store.find(id))
    return record && isSameSecret(record.resumeToken, resumeToken) ? record : undefined
  }

  /** Makes a session that was found this node's. Undefined when it has ended meanwhile; rejects as {@link find} does. */
  async take({ id }: SessionRecord): Promise<Session | undefined> {
    const { store, watch, sessions, subscriptions, upkeep, ttlMs } = this.#ports
    const record = await watch.call(() => store.take(id, ttlMs))
    const local = this.#local(id)
    if (record) this.#leaving.delete(id)
    if (record && local) upkeep.took(local)
    if (local || !record || this.#endings.has(id)) return local
    const session = sessions.adopt(record)
    upkeep.took(session)
    subscriptions.adopt(session, record.subscriptions)
    return session
  }

  /** Whether a session that a connection wants to go on with is still this node's; it is let go where not. Never rejects. */
  async confirm(session: Session): Promise<boolean> {
    if (this.#ports.upkeep.isKnown(session)) await this.#ask([session.id])
    return session.state.kind !== 'ended'
  }

  /** It has ended here. Whoever has it by now goes on with it; otherwise everyone hears of the end. */
  ended(session: Session, reason: SessionEnd): void {
    const record = recordOf(session)
    if (!this.#ports.upkeep.forget(session)) {
      void this.#ports.ends.concludeAlone(record, reason)
      return
    }
    if (this.#endings.size >= MAX_ENDINGS) return
    this.#endings.set(record.id, { record, reason, isUnsure: false })
    this.#endSoon()
  }

  /** A session that nobody has refreshed: true where it is this node's to see to. */
  keeps({ id }: SessionRecord): boolean {
    const session = this.#local(id)
    if (session) this.#ports.upkeep.changed(session)
    return session !== undefined || this.#endings.has(id)
  }

  /** This node leaves: its sessions stay in the store for the others. Never rejects. */
  async close(): Promise<void> {
    const { upkeep, sweep, sessions, store, watch, ends } = this.#ports
    await Promise.all([upkeep.all(), sweep.close()])
    await this.#endSoon()
    await ends.tick()
    sessions.letGoAll()
    await watch.attempt(() => store.close())
  }

  #local(id: string): Session | undefined {
    return this.#ports.sessions.find({ session: id })[0]
  }

  #endSoon(): Promise<void> {
    if (this.#endings.size > 0) this.#ending ??= this.#end()
    return this.#ending ?? Promise.resolve()
  }

  /** Never rejects; what the store refuses is tried again with the next tick. */
  async #end(): Promise<void> {
    const { store, watch, ends } = this.#ports
    // Whatever ends in this turn comes along.
    await undefined
    for (;;) {
      const endings = firstOf(this.#endings.values(), BATCH)
      if (endings.length === 0) break
      const ids = endings.map(({ record }) => record.id)
      const ended = await watch.attempt(() => store.remove(ids))
      const others = ended && (await this.#notEnded(endings.filter(({ record }) => !ended.includes(record.id))))
      if (!others) {
        for (const ending of endings) ending.isUnsure = true
        break
      }
      for (const { record } of endings) this.#endings.delete(record.id)
      const own = endings.filter((ending) => !others.has(ending))
      await Promise.all(own.map(({ record, reason }) => ends.concludeAlone(record, reason)))
    }
    this.#ending = undefined
  }

  /** Of those that this call has not ended: the ones that another node has, or has ended. Undefined when the store is away. */
  async #notEnded(endings: readonly Ending[]): Promise<ReadonlySet<Ending> | undefined> {
    const { store, watch, ttlMs } = this.#ports
    if (endings.length === 0) return new Set()
    const ids = endings.map(({ record }) => record.id)
    // What the store has lost altogether, or an earlier call has ended that was never answered, is this node's to tell.
    const result = await watch.probe(() => store.refresh(ids, ttlMs))
    if (!result) return undefined
    const others = new Set(endings.filter(({ record }) => result.lost.includes(record.id)))
    for (const ending of others) {
      if (!ending.isUnsure) continue
      // The trace may be that of the call which was not answered. Told twice is told with the same ids.
      const found = await watch.attempt(async () => [await store.find(ending.record.id)])
      if (!found) return undefined
      if (!found[0]) others.delete(ending)
    }
    return others
  }

  #askSoon(): void {
    if (this.#doubted.size > 0) this.#asking ??= this.#askAll()
  }

  async #askAll(): Promise<void> {
    await undefined
    const ids = firstOf(this.#doubted, BATCH)
    if (await this.#ask(ids)) for (const id of ids) this.#doubted.delete(id)
    this.#asking = undefined
  }

  /** Asks the store whose they are. False when it is away. */
  async #ask(ids: readonly string[]): Promise<boolean> {
    const { store, watch, upkeep, ttlMs } = this.#ports
    const result = await watch.probe(() => store.refresh(ids, ttlMs))
    if (!result) return false
    for (const id of result.unknown) {
      const session = this.#local(id)
      if (session) upkeep.changed(session)
    }
    await this.letGo(result.lost)
    return true
  }

  /** They are not this node's any more. A client that is still here is told by which way to come back. Never rejects. */
  async letGo(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#letGoOne(id)))
  }

  async #letGoOne(id: string): Promise<void> {
    const { store, watch, sessions, counters } = this.#ports
    const session = this.#local(id)
    if (!session) return
    let code: DisconnectCode = 'session_replaced'
    if (session.link) {
      this.#leaving.add(id)
      const found = await watch.attempt(async () => [await store.find(id)])
      // It was ended because this node was not heard of for too long, and its client waits here.
      if (found && !found[0]) code = 'heartbeat_timeout'
      // It has been taken back meanwhile.
      if (!this.#leaving.delete(id)) return
    }
    if (session.state.kind === 'ended') return
    counters.sessionsLetGo++
    sessions.letGo(session, code)
  }
}
