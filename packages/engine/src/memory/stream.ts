import type { Position } from '@fusewire/protocol'
import type { Timed, Wait } from '../timer-wheel.ts'
import type { KeptDocument } from './kept-document.ts'
import { PublicationLog } from './publication-log.ts'
import type { SnapshotRecord, StreamRecord } from './snapshot-record.ts'

export interface StreamEvents {
  /** The document's time is over; the stream is to be {@link Stream.restart}ed. */
  expired(stream: Stream): void
  /** Nobody is interested, nothing is kept and nothing was published for the channel TTL. */
  forgotten(stream: Stream): void
}

/** One channel's stream. */
export class Stream implements Timed {
  readonly channel: string
  readonly log = new PublicationLog()
  epoch: string
  offset = 0
  wanted = false
  historyTtlMs = 0
  /** For its stream alone; others are given what {@link share} says. */
  document: KeptDocument | undefined
  /** The document's objects that nobody has seen since they were made. */
  own = new WeakSet<object>()
  usedAt: number
  wait: Wait | undefined
  readonly #ttlMs: number
  readonly #events: StreamEvents

  constructor(channel: string, epoch: string, now: number, ttlMs: number, events: StreamEvents) {
    this.channel = channel
    this.epoch = epoch
    this.usedAt = now
    this.#ttlMs = ttlMs
    this.#events = events
  }

  get position(): Position {
    return { epoch: this.epoch, offset: this.offset }
  }

  /** When the first of what is kept expires, in milliseconds since 1970; infinity when nothing is kept. */
  get expiresAt(): number {
    const { oldest } = this.log
    const logExpiresAt = oldest ? oldest.time + this.historyTtlMs + 1 : Number.POSITIVE_INFINITY
    return Math.min(logExpiresAt, this.document?.expiresAt ?? Number.POSITIVE_INFINITY)
  }

  /** Whether everything after the position is kept. */
  reachesBack(since: Position): boolean {
    if (since.epoch !== this.epoch || since.offset > this.offset) return false
    if (since.offset === this.offset) return true
    const { oldest } = this.log
    return oldest !== undefined && oldest.offset <= since.offset + 1
  }

  /** The document for whoever may keep it: what follows leaves this value as it is. */
  share(): KeptDocument | undefined {
    this.own = new WeakSet()
    return this.document
  }

  /** Everything about it as it is now, however slowly that is read. */
  dump(): Generator<SnapshotRecord> {
    const { channel, epoch, offset, usedAt, historyTtlMs } = this
    const document = this.share()
    const stream = { kind: 'stream', channel, epoch, offset, usedAt, historyTtlMs, ...(document && { document }) } as const
    return records(stream, this.log.copy())
  }

  /** Takes over what another one was. */
  restore({ offset, usedAt, historyTtlMs, document }: StreamRecord): void {
    this.offset = offset
    this.usedAt = usedAt
    this.historyTtlMs = historyTtlMs
    this.document = document
  }

  /** Forgets everything; what is published from now on has its offsets in another epoch. */
  restart(epoch: string): void {
    this.epoch = epoch
    this.offset = 0
    this.log.clear()
    this.document = undefined
  }

  dropExpired(now: number): void {
    this.log.trim(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, now - this.historyTtlMs)
    if (this.document && this.document.expiresAt <= now) this.#events.expired(this)
  }

  due(now: number): number | undefined {
    this.dropExpired(now)
    const { expiresAt } = this
    if (expiresAt < Number.POSITIVE_INFINITY) return expiresAt
    if (this.wanted) return now + this.#ttlMs
    if (now < this.usedAt + this.#ttlMs) return this.usedAt + this.#ttlMs
    this.#events.forgotten(this)
    return undefined
  }
}

function* records(stream: StreamRecord, { publications, sizes }: ReturnType<PublicationLog['copy']>): Generator<SnapshotRecord> {
  yield stream
  for (const [index, publication] of publications.entries()) yield { kind: 'publication', publication, bytes: sizes[index] ?? 0 }
}
