import type { RefreshResult, SessionRecord, SessionStore, SessionStoreListener } from '@fusewire/engine'
import { Lanes } from '@fusewire/engine'
import type { KvBucket, KvEntry } from './kv-bucket.ts'
import { kvToken } from './kv-key.ts'
import { KvWatch } from './kv-watch.ts'
import { leaseMeta, leaseOf } from './lease.ts'
import type { NatsLink } from './nats-link.ts'
import { RepeatedWork } from './repeated-work.ts'
import type { ServerClock } from './server-clock.ts'
import { SessionCleaner } from './session-cleaner.ts'
import { type IndexedSession, isAlive, type SessionMeta } from './session-entry.ts'
import { SessionIndex } from './session-index.ts'
import { recordOf, SessionKeys } from './session-keys.ts'

export interface NatsSessionsOptions {
  readonly node: string
  /** How long the trace of a session that several nodes have had is kept, in milliseconds. Default 600,000 (10 minutes). */
  readonly traceMs?: number
}

const NODE = 'n.'
/** By this part of the TTL a session may end too late, when that spares a write. */
const SLACK = 0.1
/** How long a marker stays for those who watch, in milliseconds. */
const MARKER_MS = 10_000
/**
 * A node without anything to end finds out so much later that nobody can refresh, in milliseconds: each look would be a write that all
 * nodes hear of. It is less than anybody waits before sessions are ended again after that.
 */
const LOOK_MS = 3000
const ENCODER = new TextEncoder()

/**
 * Sessions in a bucket of NATS: a key for each, changed by its revision, so that of all nodes one wins. Every node watches who owns
 * what until when, and so answers a refresh without asking for each session. While a node refreshes its sessions nothing is written
 * for each of them: it moves its own lease, `n.<node>`, which counts for all that are marked as leased, and remembers which of them it
 * has refreshed; one that it has not for a TTL is written, once, with an end of its own.
 */
export class NatsSessions implements SessionStore {
  readonly #link: NatsLink
  readonly #bucket: KvBucket
  readonly #clock: ServerClock
  readonly #node: string
  readonly #traceMs: number
  readonly #watch: KvWatch
  readonly #index: SessionIndex
  readonly #sessions: SessionKeys
  readonly #cleaner: SessionCleaner
  readonly #lanes = new Lanes()
  /** Sessions whose end was refused or unanswered, so that the end may be this node's all the same. */
  readonly #unanswered = new Set<string>()
  #listener: SessionStoreListener | undefined
  #lease = 0
  readonly #cleaning = new RepeatedWork(() => this.#cleaner.clean())

  constructor(link: NatsLink, bucket: KvBucket, clock: ServerClock, { node, traceMs = 600_000 }: NatsSessionsOptions) {
    this.#link = link
    this.#bucket = bucket
    this.#clock = clock
    this.#node = kvToken(node)
    this.#traceMs = traceMs
    const index = new SessionIndex(this.#node, (id) => this.#listener?.lost(id))
    this.#index = index
    this.#sessions = new SessionKeys(bucket, clock, index)
    this.#cleaner = new SessionCleaner(bucket, clock, index, this.#sessions, this.#lanes)
    this.#watch = new KvWatch(
      link,
      bucket,
      clock,
      { filter: '>', mark: NODE + this.#node, markMeta: () => leaseMeta(this.#lease), values: false },
      {
        begin: () => index.beginReading(),
        entry: (entry) => this.#heard(entry),
        ready: () => index.endReading(),
      },
    )
  }

  /** Sessions of all nodes that this one knows of, markers and traces of ended ones among them. */
  get size(): number {
    return this.#index.size
  }

  async start(listener: SessionStoreListener): Promise<void> {
    this.#listener = listener
    await this.#link.open()
    await this.#watch.start()
  }

  async put(records: readonly SessionRecord[], ttlMs: number): Promise<readonly string[]> {
    const kept = await Promise.all(records.map((record) => this.#lanes.run(record.id, () => this.#put(record, ttlMs))))
    return records.filter((_, index) => !kept[index]).map(({ id }) => id)
  }

  refresh(ids: readonly string[], ttlMs: number): Promise<RefreshResult> {
    return this.#lanes.runInAll(ids, () => this.#refresh(ids, ttlMs))
  }

  find(id: string): Promise<SessionRecord | undefined> {
    return this.#lanes.run(id, async () => {
      const read = await this.#sessions.read(id)
      return read?.session.kind === 'kept' ? recordOf(read.value) : undefined
    })
  }

  take(id: string, ttlMs: number): Promise<SessionRecord | undefined> {
    return this.#lanes.run(id, async () => {
      for (;;) {
        const read = await this.#sessions.read(id)
        if (read?.session.kind !== 'kept') return undefined
        if (await this.#keep(read.session, read.value, ttlMs)) return recordOf(read.value)
      }
    })
  }

  async remove(ids: readonly string[]): Promise<readonly string[]> {
    const ended = await Promise.all(ids.map((id) => this.#lanes.run(id, () => this.#remove(id))))
    return ids.filter((_, index) => ended[index])
  }

  async expired(limit: number, leaseMs: number): Promise<readonly SessionRecord[]> {
    if (this.#lapsed().length === 0 && this.#watch.wasSynced(LOOK_MS)) return []
    // Who was stopped for a while sees all others as dead, until it has read what has come since; and while nobody leads the bucket,
    // nobody can refresh.
    await this.#watch.sync()
    const given = await Promise.all(
      shuffled(this.#lapsed())
        .slice(0, limit)
        .map(({ id }) => this.#lanes.run(id, () => this.#give(id, leaseMs))),
    )
    return given.filter((record) => record !== undefined)
  }

  /** Sees to what is over: sessions that are not refreshed any more, markers and traces. To be called about once a second. */
  sweep(): void {
    this.#cleaning.begin()
  }

  async close(): Promise<void> {
    this.#listener = undefined
    this.#watch.close()
    await this.#cleaning.settled()
  }

  async #put(record: SessionRecord, ttlMs: number): Promise<boolean> {
    const value = ENCODER.encode(JSON.stringify(record))
    let session = this.#index.get(record.id)
    // What others have done may not have been heard of yet.
    if (session && !this.#index.isOwn(session)) session = (await this.#sessions.read(record.id))?.session
    for (;;) {
      const isFree = !session || session.kind === 'gone' || (session.kind === 'trace' && session.end <= this.#clock.now())
      if (!isFree && session && !this.#index.isOwn(session)) return false
      const before = isFree ? session && { ...session, owner: this.#node, hasMoved: false } : session
      if (await this.#keep(before ?? { id: record.id, revision: 0, owner: this.#node, hasMoved: false }, value, ttlMs))
        return true
      session = (await this.#sessions.read(record.id))?.session
    }
  }

  /** Makes it this node's from now on. False when it has changed meanwhile. */
  #keep(
    before: Pick<IndexedSession, 'id' | 'revision' | 'owner' | 'hasMoved'>,
    value: Uint8Array,
    ttlMs: number,
  ): Promise<boolean> {
    const end = this.#clock.now() + ttlMs
    return this.#sessions.write(before, value, {
      kind: 'kept',
      end,
      owner: this.#node,
      isLeased: this.#lease <= end + SLACK * ttlMs,
      hasMoved: before.hasMoved || before.owner !== this.#node,
    })
  }

  async #remove(id: string): Promise<boolean> {
    const wasUnanswered = this.#unanswered.delete(id)
    let session = this.#index.get(id)
    try {
      while (session && this.#index.isOwn(session)) {
        const { hasMoved } = session
        const end = this.#clock.now() + (hasMoved ? this.#traceMs : MARKER_MS)
        const kind = hasMoved ? 'trace' : 'gone'
        if (await this.#sessions.write(session, new Uint8Array(), { kind, end, owner: this.#node, isLeased: false, hasMoved }))
          return true
        session = (await this.#sessions.read(id))?.session
        // The end that was not answered was carried out.
        if (wasUnanswered && session && !isAlive(session) && session.owner === this.#node) return true
      }
      return false
    } catch (error) {
      this.#unanswered.add(id)
      throw error
    }
  }

  async #give(id: string, leaseMs: number): Promise<SessionRecord | undefined> {
    const read = await this.#sessions.read(id)
    const now = this.#clock.now()
    if (!read || !isAlive(read.session) || this.#index.endOf(read.session) > now) return undefined
    const { session, value } = read
    const hasMoved = session.hasMoved || session.owner !== this.#node
    const meta: SessionMeta = { kind: 'ending', end: now + leaseMs, owner: this.#node, isLeased: false, hasMoved }
    return (await this.#sessions.write(session, value, meta)) ? recordOf(value) : undefined
  }

  async #refresh(ids: readonly string[], ttlMs: number): Promise<RefreshResult> {
    const wanted = this.#clock.now() + ttlMs
    const latest = wanted + SLACK * ttlMs
    const renewed: string[] = []
    let isAnyHeld = false
    for (const id of ids) {
      const session = this.#index.get(id)
      if (!session || !this.#index.isOwn(session)) continue
      const isYoung = session.writtenAt > this.#clock.now() - this.#bucket.maxAgeMs / 2
      if (session.isLeased && session.end <= latest && this.#lease <= latest && isYoung) {
        session.until = wanted
        isAnyHeld = true
      } else renewed.push(id)
    }
    await Promise.all(renewed.map((id) => this.#renew(id, ttlMs)))
    if (isAnyHeld) this.#lease = Math.max(this.#lease, wanted)
    await this.#watch.sync()
    return this.#result(ids)
  }

  /** What is known of them, once everything has been read that was written before. */
  #result(ids: readonly string[]): RefreshResult {
    const [lost, unknown]: [string[], string[]] = [[], []]
    const now = this.#clock.now()
    for (const id of ids) {
      const session = this.#index.get(id)
      if (session && this.#index.isOwn(session)) continue
      const isUnknown = !session || session.kind === 'gone' || (session.kind === 'trace' && session.end <= now)
      if (isUnknown) unknown.push(id)
      else lost.push(id)
    }
    return { lost, unknown }
  }

  /** Begins its TTL anew by itself. */
  async #renew(id: string, ttlMs: number): Promise<void> {
    for (;;) {
      const read = await this.#sessions.read(id)
      if (!read || !this.#index.isOwn(read.session) || (await this.#keep(read.session, read.value, ttlMs))) return
    }
  }

  #heard(entry: KvEntry): void {
    const { key, meta } = entry
    if (key.startsWith(NODE)) {
      const until = leaseOf(meta)
      const node = key.slice(NODE.length)
      this.#index.setLease(node, node === this.#node ? Math.max(until, this.#lease) : until)
      return
    }
    this.#sessions.heard(entry)
  }

  #lapsed(): IndexedSession[] {
    return [...this.#index.due(this.#clock.now())].filter(isAlive)
  }
}

/** Nodes that look at the same time take different ones. */
const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item)
