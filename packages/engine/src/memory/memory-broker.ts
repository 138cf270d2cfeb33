import type { Position, Publication } from '@fusewire/protocol'
import type {
  Broker,
  BrokerListener,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishOptions,
} from '../ports/broker.ts'
import type { Environment } from '../ports/environment.ts'
import { type Timed, TimerWheel } from '../timer-wheel.ts'
import { PublicationLog } from './publication-log.ts'

export interface MemoryBrokerOptions {
  /** How long an idempotency key is remembered, in milliseconds. Default 300,000 (5 minutes). */
  readonly idempotencyTtlMs?: number
  /** Idempotency keys remembered at most; the oldest is forgotten first. Default 100,000. */
  readonly maxIdempotencyKeys?: number
  /** How long a channel without subscribers and publications keeps its epoch and offset, in milliseconds. Default 3,600,000 (1 hour). */
  readonly channelTtlMs?: number
}

/** One channel's stream. It goes when nobody is interested, nothing is kept and nothing was published for the channel TTL. */
class Stream implements Timed {
  readonly log = new PublicationLog()
  readonly epoch: string
  offset = 0
  wanted = false
  historyTtlMs = 0
  usedAt: number
  readonly #ttlMs: number
  readonly #forget: () => void

  constructor(epoch: string, now: number, ttlMs: number, forget: () => void) {
    this.epoch = epoch
    this.usedAt = now
    this.#ttlMs = ttlMs
    this.#forget = forget
  }

  get position(): Position {
    return { epoch: this.epoch, offset: this.offset }
  }

  dropExpired(now: number): void {
    this.log.trim(Number.POSITIVE_INFINITY, now - this.historyTtlMs)
  }

  due(now: number): number | undefined {
    this.dropExpired(now)
    const oldest = this.log.oldest
    if (oldest) return oldest.time + this.historyTtlMs + 1
    if (this.wanted) return now + this.#ttlMs
    if (now < this.usedAt + this.#ttlMs) return this.usedAt + this.#ttlMs
    this.#forget()
    return undefined
  }
}

/**
 * The broker of a single process: everything is in memory and answers at once, so that a publication reaches its subscribers
 * within the same turn. A restart loses history, and its new epochs say so.
 */
export class MemoryBroker implements Broker {
  readonly #environment: Environment
  readonly #options: Required<MemoryBrokerOptions>
  readonly #streams = new Map<string, Stream>()
  readonly #keys = new Map<string, { readonly position: Position; readonly expiresAt: number }>()
  readonly #wheel: TimerWheel
  readonly #life: string
  /** Grows when a stream with publications is forgotten, so that its name never comes back with the same epoch. */
  #generation = 0
  #listener: BrokerListener | undefined

  constructor(environment: Environment, options: MemoryBrokerOptions = {}) {
    this.#environment = environment
    this.#options = { idempotencyTtlMs: 300_000, maxIdempotencyKeys: 100_000, channelTtlMs: 3_600_000, ...options }
    this.#wheel = new TimerWheel(environment.now(), 1000)
    this.#life = environment.id()
  }

  start(listener: BrokerListener): void {
    this.#listener = listener
  }

  publish(channel: string, draft: PublicationDraft, options: PublishOptions): Published {
    const now = this.#environment.now()
    const key = options.idempotencyKey === undefined ? undefined : `${channel} ${options.idempotencyKey}`
    const earlier = key === undefined ? undefined : this.#keys.get(key)
    if (earlier && earlier.expiresAt > now) return { position: earlier.position, duplicate: true }

    const stream = this.#stream(channel, now)
    stream.usedAt = now
    stream.offset++
    const publication: Publication = { offset: stream.offset, ...draft, time: now }
    if (options.historySize > 0) {
      stream.historyTtlMs = options.historyTtlMs
      stream.log.append(publication)
      stream.log.trim(options.historySize, now - options.historyTtlMs)
      if (stream.log.size === 1) this.#wheel.schedule(stream, now + options.historyTtlMs + 1)
    } else if (stream.log.size > 0) {
      stream.log.clear()
    }
    const position = stream.position
    if (key !== undefined) this.#remember(key, position, now)
    this.#listener?.publication(channel, publication)
    return { position, duplicate: false }
  }

  subscribe(channel: string): void {
    this.#stream(channel, this.#environment.now()).wanted = true
  }

  unsubscribe(channel: string): void {
    const stream = this.#streams.get(channel)
    if (!stream) return
    stream.wanted = false
    stream.usedAt = this.#environment.now()
  }

  history(channel: string, query: HistoryQuery): HistoryPage {
    const now = this.#environment.now()
    const stream = this.#streams.get(channel)
    if (!stream) return this.#untouched(query.since)
    stream.dropExpired(now)
    const { since, limit = Number.POSITIVE_INFINITY, reverse = false } = query
    const complete = since === undefined || isWithin(stream, since)
    const found = limit === 0 ? [] : stream.log.after(since && since.epoch === stream.epoch ? since.offset : 0)
    if (reverse) found.reverse()
    return { position: stream.position, publications: found.slice(0, limit), complete }
  }

  clearHistory(channel: string): void {
    this.#streams.get(channel)?.log.clear()
  }

  /** Forgets what has expired. To be called about once a second. */
  sweep(): void {
    const now = this.#environment.now()
    this.#wheel.advance(now)
    for (const [key, { expiresAt }] of this.#keys) {
      if (expiresAt > now) break
      this.#keys.delete(key)
    }
  }

  /** Streams and idempotency keys held now. */
  get size(): { streams: number; idempotencyKeys: number } {
    return { streams: this.#streams.size, idempotencyKeys: this.#keys.size }
  }

  close(): void {
    this.#listener = undefined
    this.#streams.clear()
    this.#keys.clear()
  }

  #stream(channel: string, now: number): Stream {
    let stream = this.#streams.get(channel)
    if (!stream) {
      const created = new Stream(this.#epoch, now, this.#options.channelTtlMs, () => this.#forget(channel, created))
      stream = created
      this.#streams.set(channel, stream)
      this.#wheel.schedule(stream, now + this.#options.channelTtlMs)
    }
    return stream
  }

  get #epoch(): string {
    return `${this.#life}.${this.#generation.toString(36)}`
  }

  /** A channel that has no stream yet: the one it would get begins at this position. */
  #untouched(since: Position | undefined): HistoryPage {
    const position = { epoch: this.#epoch, offset: 0 }
    return { position, publications: [], complete: since === undefined || (since.epoch === position.epoch && since.offset === 0) }
  }

  #forget(channel: string, stream: Stream): void {
    if (stream.offset > 0) this.#generation++
    this.#streams.delete(channel)
  }

  /** Keys expire in the order in which they came, so the map's own order is the queue. */
  #remember(key: string, position: Position, now: number): void {
    this.#keys.delete(key)
    this.#keys.set(key, { position, expiresAt: now + this.#options.idempotencyTtlMs })
    if (this.#keys.size <= this.#options.maxIdempotencyKeys) return
    for (const oldest of this.#keys.keys()) {
      this.#keys.delete(oldest)
      break
    }
  }
}

const isWithin = (stream: Stream, since: Position): boolean => {
  if (since.epoch !== stream.epoch || since.offset > stream.offset) return false
  if (since.offset === stream.offset) return true
  const oldest = stream.log.oldest
  return oldest !== undefined && oldest.offset <= since.offset + 1
}
