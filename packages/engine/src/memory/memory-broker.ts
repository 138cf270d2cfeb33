import { jsonSize, type Position, type Publication } from '@fusewire/protocol'
import { ConflictError } from '../conflict-error.ts'
import type {
  Announcement,
  Broker,
  BrokerListener,
  ChannelState,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishOptions,
} from '../ports/broker.ts'
import type { Environment } from '../ports/environment.ts'
import { TimerWheel } from '../timer-wheel.ts'
import { nextDocument } from './kept-document.ts'
import type { SnapshotRecord, StreamRecord } from './snapshot-record.ts'
import { Stream, type StreamEvents } from './stream.ts'

export interface MemoryBrokerOptions {
  /** How long an idempotency key is remembered, in milliseconds. Default 300,000 (5 minutes). */
  readonly idempotencyTtlMs?: number
  /** Idempotency keys remembered at most; the oldest is forgotten first. Default 100,000. */
  readonly maxIdempotencyKeys?: number
  /** How long a channel without subscribers, publications and a document keeps its epoch and offset, in milliseconds. Default 3,600,000 (1 hour). */
  readonly channelTtlMs?: number
}

/**
 * The broker of a single process: everything is in memory and answers at once, so that a publication reaches its subscribers
 * within the same turn. A restart loses history, and its new epochs say so; unless what it held is dumped before, and restored.
 */
export class MemoryBroker implements Broker {
  readonly #environment: Environment
  readonly #options: Required<MemoryBrokerOptions>
  readonly #streams = new Map<string, Stream>()
  readonly #keys = new Map<string, { readonly position: Position; readonly expiresAt: number }>()
  readonly #wheel: TimerWheel
  /** The first part of every epoch. */
  #life: string
  /** Grows when a stream with publications is forgotten or restarted, so that its name never comes back with the same epoch. */
  #generation = 0
  #revision = 0
  #listener: BrokerListener | undefined
  readonly #events: StreamEvents = {
    expired: (stream) => this.#restart(stream),
    forgotten: (stream) => this.#forget(stream),
  }

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

    const known = this.#find(channel, now)
    if (options.ifPosition && !isSame(options.ifPosition, known?.position ?? this.#untouched))
      throw new ConflictError(this.state(channel))
    const draftBytes = jsonSize(draft)
    const own = known?.own ?? new WeakSet()
    const document = options.state && nextDocument(known?.document, { draft, draftBytes, now, own }, options.state)

    const stream = known ?? this.#create(channel, now)
    const { expiresAt } = stream
    this.#revision++
    stream.usedAt = now
    stream.offset++
    stream.document = document
    const publication: Publication = { offset: stream.offset, ...draft, time: now }
    if (options.historySize > 0) {
      stream.historyTtlMs = options.historyTtlMs
      stream.log.append(publication, draftBytes)
      stream.log.trim(options.historySize, options.historyBytes, now - options.historyTtlMs)
    } else if (stream.log.size > 0) stream.log.clear()
    if (stream.expiresAt < expiresAt) this.#wheel.schedule(stream, stream.expiresAt)
    const { position } = stream
    if (key !== undefined) this.#remember(key, position, now)
    this.#listener?.publication(channel, publication, stream.epoch)
    return { position, duplicate: false }
  }

  subscribe(channel: string): void {
    const now = this.#environment.now()
    const stream = this.#find(channel, now) ?? this.#create(channel, now)
    stream.wanted = true
  }

  unsubscribe(channel: string): void {
    const now = this.#environment.now()
    const stream = this.#find(channel, now)
    if (!stream) return
    stream.wanted = false
    stream.usedAt = now
  }

  announce(message: Announcement): void {
    this.#listener?.announcement(message)
  }

  history(channel: string, query: HistoryQuery): HistoryPage {
    const { since, limit = Number.POSITIVE_INFINITY, reverse = false } = query
    const stream = this.#find(channel, this.#environment.now())
    if (!stream) {
      const position = this.#untouched
      return { position, publications: [], complete: since === undefined || isSame(since, position) }
    }
    const complete = since === undefined || stream.reachesBack(since)
    const found = limit === 0 ? [] : stream.log.after(since && since.epoch === stream.epoch ? since.offset : 0)
    if (reverse) found.reverse()
    return { position: stream.position, publications: found.slice(0, limit), complete }
  }

  state(channel: string): ChannelState {
    const stream = this.#find(channel, this.#environment.now())
    const document = stream?.share()
    if (!stream || !document) return { position: stream?.position ?? this.#untouched }
    return { position: stream.position, document: document.value, time: document.time }
  }

  clearHistory(channel: string): void {
    this.#revision++
    this.#streams.get(channel)?.log.clear()
  }

  removeDocument(channel: string): boolean {
    const stream = this.#find(channel, this.#environment.now())
    if (!stream?.document) return false
    this.#restart(stream)
    return true
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

  /** Another number after every change of what {@link dump} gives, time aside. */
  get revision(): number {
    return this.#revision
  }

  /**
   * Everything that is kept. The broker may go on between two records: each channel is as it was at one moment, and keys come first,
   * so that a key's publication is never missing from its channel.
   */
  *dump(): Generator<SnapshotRecord> {
    yield { kind: 'life', life: this.#life, generation: this.#generation }
    for (const [key, { position, expiresAt }] of [...this.#keys]) yield { kind: 'key', key, position, expiresAt }
    for (const stream of [...this.#streams.values()]) if (this.#streams.has(stream.channel)) yield* stream.dump()
  }

  /**
   * Takes over what another broker has dumped, less what has expired since. To be called before anything else, on a broker that has
   * nothing. With `continues` positions go on where they were: only for a dump after which nothing was published. Otherwise clients may
   * hold positions that the dump does not know of, so every channel begins another epoch behind the same history and document.
   */
  async restore(
    records: Iterable<SnapshotRecord> | AsyncIterable<SnapshotRecord>,
    { continues }: { readonly continues: boolean },
  ): Promise<void> {
    if (this.#streams.size > 0 || this.#keys.size > 0) throw new Error('something was published before the snapshot was restored')
    const now = this.#environment.now()
    let stream: Stream | undefined
    for await (const record of records) {
      if (record.kind === 'publication') stream?.log.append(record.publication, record.bytes)
      else if (record.kind === 'stream') stream = this.#restored(record, continues ? record.epoch : this.#epoch, now)
      else if (record.kind === 'key') this.#keys.set(record.key, { position: record.position, expiresAt: record.expiresAt })
      else if (continues) {
        this.#life = record.life
        this.#generation = record.generation
      }
    }
    for (const restored of [...this.#streams.values()]) {
      const deadline = restored.due(now)
      if (deadline !== undefined) this.#wheel.schedule(restored, deadline)
    }
    this.sweep()
  }

  close(): void {
    this.#listener = undefined
    this.#streams.clear()
    this.#keys.clear()
  }

  /** The channel's stream as it is now, without what has expired. */
  #find(channel: string, now: number): Stream | undefined {
    const stream = this.#streams.get(channel)
    stream?.dropExpired(now)
    return stream
  }

  #create(channel: string, now: number): Stream {
    this.#revision++
    const stream = new Stream(channel, this.#epoch, now, this.#options.channelTtlMs, this.#events)
    this.#streams.set(channel, stream)
    this.#wheel.schedule(stream, now + this.#options.channelTtlMs)
    return stream
  }

  #restored(record: StreamRecord, epoch: string, now: number): Stream {
    const stream = new Stream(record.channel, epoch, now, this.#options.channelTtlMs, this.#events)
    stream.restore(record)
    this.#streams.set(record.channel, stream)
    return stream
  }

  get #epoch(): string {
    return `${this.#life}.${this.#generation.toString(36)}`
  }

  /** Where a channel that has no stream yet would begin. */
  get #untouched(): Position {
    return { epoch: this.#epoch, offset: 0 }
  }

  #forget(stream: Stream): void {
    this.#revision++
    if (stream.offset > 0) this.#generation++
    this.#streams.delete(stream.channel)
  }

  #restart(stream: Stream): void {
    this.#revision++
    this.#generation++
    stream.restart(this.#epoch)
    if (stream.wanted) this.#listener?.interrupted(stream.channel)
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

const isSame = (one: Position, other: Position): boolean => one.epoch === other.epoch && one.offset === other.offset
