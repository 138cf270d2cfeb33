import type { RedisConnection } from './redis-connection.ts'

/** What alarms need of a {@link RedisConnection}. */
type AlarmConnection = Pick<RedisConnection, 'subscribeToKey' | 'unsubscribeFromKey'>

export interface SessionAlarmsOptions {
  /** Keys of the shards' alarms. */
  readonly keys: readonly string[]
  /**
   * Sets the alarm of a shard ahead of its first end, unless that is nearer than the alarm would be. Answers with how many sessions are
   * due, and in how many milliseconds the next one will be: -1 where the alarm rings before.
   */
  readonly look: (shard: number) => Promise<readonly [due: number, nextMs: number]>
  /** Sessions have come due. */
  readonly onDue: () => void
}

/** A shard is looked at no sooner after the last time, in milliseconds, however often its alarm rings. */
const SPACING_MS = 20

/** Whoever is told looks into all shards, and is told no sooner after the last time, in milliseconds, however many have something due. */
const TELL_SPACING_MS = 100

/** When a shard is looked at again where Redis has not answered, in milliseconds. */
const LOOK_AGAIN_MS = 1000

/** When Redis is asked again for what it has refused to tell, in milliseconds: it may be in a failover, or not allow it. */
const RETRY_MS = 60_000

/** When a shard was looked at last, and will be next. */
interface Plan {
  lookedAt: number
  looksAt: number
  timer: NodeJS.Timeout | undefined
}

/**
 * Tells when sessions come due, to some milliseconds. The alarm of a shard is a key that expires ahead of its first end. Redis tells of
 * that when it comes across the key, at the latest when a node next looks for what has expired; from then on this node knows the moment of
 * the end, and waits for it.
 */
export class SessionAlarms {
  readonly #connection: AlarmConnection
  readonly #options: SessionAlarmsOptions
  readonly #plans: readonly Plan[]
  #retry: NodeJS.Timeout | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #telling: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(connection: AlarmConnection, options: SessionAlarmsOptions) {
    this.#connection = connection
    this.#options = options
    this.#plans = options.keys.map(() => ({ lookedAt: Number.NEGATIVE_INFINITY, looksAt: 0, timer: undefined }))
  }

  /** Nobody waits for Redis to agree: without alarms, sessions are due when the sweep finds them. */
  start(): void {
    if (this.#isClosed) return
    this.#retry = undefined
    const refused = (): void => {
      if (!this.#isClosed) this.#retry ??= setTimeout(() => this.start(), RETRY_MS)
    }
    for (const [shard, key] of this.#options.keys.entries()) {
      const rang = (): void => this.#lookIn(shard, 0)
      const message = (event: Buffer): void => {
        if (event.toString() === 'expired') rang()
      }
      this.#connection.subscribeToKey(key, { message, lapsed: rang, refused }).then(rang, refused)
    }
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retry)
    clearTimeout(this.#telling)
    for (const { timer } of this.#plans) clearTimeout(timer)
    for (const key of this.#options.keys) this.#connection.unsubscribeFromKey(key)
  }

  /** In so many milliseconds, or sooner where that has been decided before. */
  #lookIn(shard: number, ms: number): void {
    const plan = this.#plans[shard]
    if (!plan || this.#isClosed) return
    const now = performance.now()
    const at = Math.max(now + ms, plan.lookedAt + SPACING_MS)
    if (plan.timer && plan.looksAt <= at) return
    clearTimeout(plan.timer)
    plan.looksAt = at
    plan.timer = setTimeout(() => {
      plan.timer = undefined
      plan.lookedAt = performance.now()
      void this.#look(shard)
    }, at - now)
  }

  /** Never rejects: what this node does not find out is found by the sweep. */
  async #look(shard: number): Promise<void> {
    const ends = await this.#options.look(shard).catch(() => undefined)
    if (this.#isClosed) return
    const [due, nextMs] = ends ?? [0, LOOK_AGAIN_MS]
    if (due > 0) this.#tellSoon()
    if (nextMs >= 0) this.#lookIn(shard, nextMs)
  }

  #tellSoon(): void {
    if (this.#telling) return
    const waitMs = this.#toldAt + TELL_SPACING_MS - performance.now()
    if (waitMs <= 0) this.#tell()
    else this.#telling = setTimeout(() => this.#tell(), waitMs)
  }

  #tell(): void {
    this.#telling = undefined
    this.#toldAt = performance.now()
    this.#options.onDue()
  }
}
