import { DueHeap } from './due-heap.ts'
import { type IndexedSession, isAlive, type SessionMeta } from './session-entry.ts'

/**
 * What a node knows of the sessions of all nodes, without their records: whose they are, and when they end. It follows the bucket, and
 * runs ahead of it with what this node writes itself.
 */
export class SessionIndex {
  readonly #node: string
  readonly #onLost: (id: string) => void
  readonly #sessions = new Map<string, IndexedSession>()
  /** Until when each node has told that it is there, in milliseconds of the server. */
  readonly #leases = new Map<string, number>()
  /** The sessions of this node whose TTL goes on with its lease. */
  readonly #leased = new Set<IndexedSession>()
  readonly #waiting = new DueHeap<IndexedSession>()
  /** Those whose time has come. */
  readonly #due = new Set<IndexedSession>()
  #owners = new Map<string, string>()
  #reading = 0

  /** `onLost` hears of sessions of this node that have become another's. */
  constructor(node: string, onLost: (id: string) => void) {
    this.#node = node
    this.#onLost = onLost
  }

  get size(): number {
    return this.#sessions.size
  }

  get leased(): Iterable<IndexedSession> {
    return this.#leased
  }

  get(id: string): IndexedSession | undefined {
    return this.#sessions.get(id)
  }

  /** The bucket is read from its beginning. */
  beginReading(): void {
    this.#reading++
  }

  /** The bucket has been read: what was not in it is gone. */
  endReading(): void {
    for (const session of this.#sessions.values()) if (session.reading !== this.#reading) this.#drop(session)
    this.#owners = new Map()
    for (const { owner } of this.#sessions.values()) this.#owners.set(owner, owner)
  }

  lease(node: string): number {
    return this.#leases.get(node) ?? 0
  }

  setLease(node: string, until: number): void {
    this.#leases.set(node, until)
  }

  /** Takes what is newer than what it has; `undefined` for a key that is not there. */
  apply(id: string, revision: number, writtenAt: number, meta: SessionMeta): IndexedSession {
    const before = this.#sessions.get(id)
    if (before && before.reading === this.#reading && before.revision >= revision) return before
    if (before) this.#drop(before)
    // One text for each node, not for each session.
    const owner = this.#owners.get(meta.owner) ?? meta.owner
    this.#owners.set(owner, owner)
    const { kind, end, isLeased, hasMoved } = meta
    const session: IndexedSession = {
      id,
      revision,
      writtenAt,
      kind,
      end,
      owner,
      isLeased,
      hasMoved,
      reading: this.#reading,
      until: before?.revision === revision ? before.until : end,
      dueAt: 0,
    }
    session.dueAt = this.endOf(session)
    this.#sessions.set(id, session)
    if (owner === this.#node && isLeased) this.#leased.add(session)
    this.#waiting.push(session)
    if (before && isAlive(before) && before.owner === this.#node && owner !== this.#node) this.#onLost(id)
    return session
  }

  forget(id: string): void {
    const session = this.#sessions.get(id)
    if (session) this.#drop(session)
  }

  /** Whether this node has had it last, alive or ended. */
  isOfThisNode({ owner }: SessionMeta): boolean {
    return owner === this.#node
  }

  /** Whether it is this node's, and has not ended. */
  isOwn(session: SessionMeta): boolean {
    return this.isOfThisNode(session) && isAlive(session)
  }

  /** When its TTL, lease or trace ends. */
  endOf({ kind, end, isLeased, owner }: IndexedSession): number {
    return kind === 'kept' && isLeased ? Math.max(end, this.lease(owner)) : end
  }

  /** All whose time has come. */
  due(now: number): ReadonlySet<IndexedSession> {
    for (let session = this.#waiting.pop(now); session; session = this.#waiting.pop(now)) {
      if (this.#sessions.get(session.id) !== session) continue
      session.dueAt = this.endOf(session)
      if (session.dueAt <= now) this.#due.add(session)
      else this.#waiting.push(session)
    }
    for (const session of this.#due) {
      // Its node has told meanwhile that it is there.
      session.dueAt = this.endOf(session)
      if (session.dueAt <= now) continue
      this.#due.delete(session)
      this.#waiting.push(session)
    }
    return this.#due
  }

  /** It is looked at again at this time. */
  postpone(session: IndexedSession, until: number): void {
    if (!this.#due.delete(session)) return
    session.dueAt = until
    this.#waiting.push(session)
  }

  #drop(session: IndexedSession): void {
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id)
    this.#leased.delete(session)
    this.#due.delete(session)
  }
}
