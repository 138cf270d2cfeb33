import type { RefreshResult, SessionRecord, SessionStore, SessionStoreListener } from '@fusewire/engine'
import { brokerName } from '../broker-name.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RedisReply } from './redis-link.ts'
import { SessionAlarms } from './session-alarms.ts'

export interface RedisSessionsOptions {
  /** Identifier of this process. */
  readonly node: string
  /** First part of every key. */
  readonly prefix: string
  /** How long the trace of a session that several nodes have had is kept, in milliseconds. Default 600,000 (10 minutes). */
  readonly traceMs?: number
  /** How long ahead of the first end of a shard its alarm rings, in milliseconds: less than any living session has left. Default 30,000. */
  readonly alarmLeadMs?: number
}

/** Whoever shares a Redis has to agree on it: it is in the names of keys. */
const SHARDS = 16

/** Sessions in one call: Redis does nothing else meanwhile, which is a millisecond or two. */
const BATCH = 250

/**
 * The sessions of all nodes in Redis. They are spread over shards, each of which is one hash slot, so that what is asked of many is one
 * call a shard, and that the masters of a cluster share the work. When a TTL has ended is known by the sweep of each shard's sorted set,
 * which is certain. Where Redis tells of keys that expire, {@link SessionAlarms} make it prompt.
 */
export class RedisSessions implements SessionStore {
  readonly #connection: RedisConnection
  readonly #node: string
  readonly #prefix: string
  readonly #traceMs: string
  readonly #alarmLeadMs: string
  #alarms: SessionAlarms | undefined
  /** Where the search for sessions that have expired begins, so that every shard has its turn. */
  #turn = 0

  constructor(connection: RedisConnection, { node, prefix, traceMs = 600_000, alarmLeadMs = 30_000 }: RedisSessionsOptions) {
    this.#connection = connection
    this.#node = node
    this.#prefix = prefix
    this.#traceMs = String(traceMs)
    this.#alarmLeadMs = whole(alarmLeadMs)
  }

  async start(listener: SessionStoreListener): Promise<void> {
    await this.#connection.open()
    await this.#connection.subscribe(this.#lostChannel(this.#node), {
      message: (payload) => listener.lost(payload.toString()),
      // What was missed comes out when it is refreshed.
      lapsed: () => undefined,
    })
    this.#alarms = new SessionAlarms(this.#connection, {
      keys: Array.from({ length: SHARDS }, (_, shard) => `${this.#baseOf(shard)}alarm`),
      look: async (shard) => {
        const [due, nextMs] = list(await this.#call('sessions_alarm', shard, [], [this.#alarmLeadMs]))
        return [Number(due), Number(nextMs)]
      },
      onDue: () => listener.due(),
    })
    this.#alarms.start()
  }

  async put(records: readonly SessionRecord[], ttlMs: number): Promise<readonly string[]> {
    const idOf = ({ id }: SessionRecord): string => id
    const batches = inBatches(records, idOf).map(({ shard, items }) =>
      this.#call('sessions_put', shard, items.map(idOf), [
        this.#node,
        whole(ttlMs),
        this.#alarmLeadMs,
        ...items.map((record) => JSON.stringify(record)),
      ]),
    )
    return (await Promise.all(batches)).flatMap(texts)
  }

  async refresh(ids: readonly string[], ttlMs: number): Promise<RefreshResult> {
    const replies = await Promise.all(this.#batches('sessions_refresh', ids, [whole(ttlMs), this.#alarmLeadMs]))
    const results = replies.map((reply) => list(reply).map(texts))
    return { lost: results.flatMap(([lost = []]) => lost), unknown: results.flatMap(([, unknown = []]) => unknown) }
  }

  async find(id: string): Promise<SessionRecord | undefined> {
    return recordOf(await this.#call('sessions_find', shardOf(id), [id], []))
  }

  async take(id: string, ttlMs: number): Promise<SessionRecord | undefined> {
    const [record, owner] = list(await this.#call('sessions_take', shardOf(id), [id], [this.#node, whole(ttlMs)]))
    if (owner !== undefined && owner !== this.#node) this.#tell(String(owner), id)
    return recordOf(record)
  }

  async remove(ids: readonly string[]): Promise<readonly string[]> {
    const ended = new Set((await Promise.all(this.#batches('sessions_remove', ids, [this.#traceMs]))).flatMap(texts))
    return ids.filter((id) => ended.delete(id))
  }

  async expired(limit: number, leaseMs: number): Promise<readonly SessionRecord[]> {
    const shards = Array.from({ length: SHARDS }, (_, index) => (this.#turn + index) % SHARDS)
    this.#turn = (this.#turn + 1) % SHARDS
    const due = await Promise.all(shards.map((shard) => this.#call('sessions_due', shard, [], [])))
    let left = limit
    const batches = shards.flatMap((shard, index) => {
      const wanted = Math.min(Number(due[index]), left, BATCH)
      left -= wanted
      return wanted === 0 ? [] : this.#call('sessions_expired', shard, [], [this.#node, String(wanted), whole(leaseMs)])
    })
    const given = await Promise.all(batches)
    return given.flatMap(list).flatMap((record) => recordOf(record) ?? [])
  }

  close(): void {
    this.#alarms?.close()
    this.#connection.unsubscribe(this.#lostChannel(this.#node))
  }

  #batches(name: string, ids: readonly string[], args: readonly string[]): Promise<RedisReply>[] {
    return inBatches(ids, (id) => id).map(({ shard, items }) => this.#call(name, shard, items, [this.#node, ...args]))
  }

  #call(name: string, shard: number, ids: readonly string[], args: readonly string[]): Promise<RedisReply> {
    const base = this.#baseOf(shard)
    return this.#connection.call(name, [`${base}seen`, ...ids.map((id) => `${base}s:${id}`)], args)
  }

  #baseOf(shard: number): string {
    return `${this.#prefix}:{s${shard}}:`
  }

  #lostChannel(node: string): string {
    return `${this.#prefix}:{node:${brokerName(node)}}:lost`
  }

  /** Nobody waits for it, and it never rejects: the node finds out when it refreshes the session. */
  #tell(node: string, id: string): void {
    this.#connection.call('tell', [this.#lostChannel(node)], [id]).catch(() => undefined)
  }
}

/** Redis knows no fractions of a millisecond. */
const whole = (ms: number): string => String(Math.ceil(ms))

/** FNV-1a, over the code units: cheap, and even enough for a few shards. */
const shardOf = (id: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % SHARDS
}

interface Batch<T> {
  readonly shard: number
  readonly items: T[]
}

const inBatches = <T>(items: readonly T[], idOf: (item: T) => string): Batch<T>[] => {
  const batches: Batch<T>[] = []
  const open = new Map<number, Batch<T>>()
  for (const item of items) {
    const shard = shardOf(idOf(item))
    let batch = open.get(shard)
    if (!batch || batch.items.length >= BATCH) {
      batch = { shard, items: [] }
      batches.push(batch)
      open.set(shard, batch)
    }
    batch.items.push(item)
  }
  return batches
}

const list = (reply: RedisReply | undefined): readonly RedisReply[] => (Array.isArray(reply) ? reply : [])

const texts = (reply: RedisReply | undefined): readonly string[] => list(reply).map(String)

const recordOf = (reply: RedisReply | undefined): SessionRecord | undefined =>
  typeof reply === 'string' ? (JSON.parse(reply) as SessionRecord) : undefined
