import { headers } from '@nats-io/transport-node'
import { brokerName } from '../broker-name.ts'
import { type ChannelRecord, decodeRecord, type Located } from './channel-record.ts'
import { DUPLICATE_WINDOW_MS, expecting, isBeingDecided, keptAt } from './expecting.ts'
import { ForeignStreamError, isLeaderless, JetStreamError, unavailable } from './nats-error.ts'
import type { NatsLink } from './nats-link.ts'
import type { NatsSession } from './nats-session.ts'
import { RecordCache } from './record-cache.ts'
import { retryPause } from './retry-pause.ts'
import {
  createStream,
  directMessage,
  leaderMessage,
  type MessageQuery,
  type StreamConfiguration,
  type StreamInformation,
  streamInformation,
  updateStream,
} from './stream-api.ts'
import { StreamCheck } from './stream-check.ts'

const NANOSECONDS_A_MS = 1_000_000
const HOUR_MS = 3_600_000
/** Records are kept at least this long, so that channels that nobody has used for a while go on where they were. */
const LEAST_MAX_AGE_MS = 24 * HOUR_MS
/**
 * Records of one channel that are kept at least. The server drops the oldest while it takes a new one, for some 20 us; a purge of many
 * would hold up everybody else for as long as it takes.
 */
const LEAST_MAX_RECORDS = 2_000
/** Records in memory, encoded. */
const MAX_CACHE_BYTES = 16 * 1024 * 1024
/** For headers, of what the server takes as one message. */
const HEADER_BYTES = 512

export interface RecordStreamOptions {
  readonly prefix: string
  /** Servers that keep each record. */
  readonly replicas: number
  /** The stream is another one than before: nothing of what was known of it holds. */
  readonly onReset: () => void
}

/** The stream of all channels' records, one subject for each channel. */
export class RecordStream {
  readonly name: string
  readonly #link: NatsLink
  readonly #options: RecordStreamOptions
  readonly #check: StreamCheck
  readonly #cache = new RecordCache(MAX_CACHE_BYTES)
  #information: StreamInformation | undefined
  #maxAgeMs = LEAST_MAX_AGE_MS
  #maxRecords = LEAST_MAX_RECORDS

  constructor(link: NatsLink, options: RecordStreamOptions) {
    this.#link = link
    this.#options = options
    this.name = brokerName(options.prefix)
    this.#check = new StreamCheck({
      name: this.name,
      attemptMs: link.attemptMs,
      check: (session, attemptMs) => this.#ensure(session, attemptMs),
    })
  }

  /** Where the records of a channel are written. */
  writtenAt(channel: string): string {
    return `${this.name}.c.${brokerName(channel)}`
  }

  /** Where nodes hear what has been written. */
  heardAt(channel: string): string {
    return `${this.name}.d.${brokerName(channel)}`
  }

  /** Where its leaders are announced. */
  get leaderSubject(): string {
    return `$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.${this.name}`
  }

  get maxAgeMs(): number {
    return this.#maxAgeMs
  }

  /** Records of one channel that are kept at least. */
  get maxRecords(): number {
    return this.#maxRecords
  }

  /** Bytes of a record at most. */
  get maxRecordBytes(): number {
    return this.#link.session().maxPayload - HEADER_BYTES
  }

  /** Makes the stream, or takes the one that is there; its limits grow to what is needed here, and never shrink. */
  ensure(session: NatsSession): Promise<void> {
    return this.#check.run(session)
  }

  /** Whether {@link keep} has nothing to do. */
  keeps(ms: number, records: number): boolean {
    return 2 * ms + HOUR_MS <= this.#maxAgeMs && records <= this.#maxRecords
  }

  /**
   * Sees to it that so many records of a channel are kept, and for twice as long as something in them lasts: what lasts so long may be
   * added to until its end.
   */
  async keep(ms: number, records: number): Promise<void> {
    if (this.keeps(ms, records)) return
    const age = 2 * ms + HOUR_MS
    const before = { age: this.#maxAgeMs, records: this.#maxRecords }
    this.#maxAgeMs = Math.max(age, this.#maxAgeMs)
    // Generously, because whoever asks for more will ask again.
    if (records > this.#maxRecords) this.#maxRecords = 2 * records
    try {
      await this.#again((attemptMs) => this.#check.run(this.#link.session(), attemptMs), this.#deadline)
    } catch (error) {
      this.#maxAgeMs = before.age
      this.#maxRecords = before.records
      throw error
    }
  }

  /** The channel's newest record at this moment; undefined when it has none. */
  async newest(channel: string): Promise<Located | undefined> {
    // With several replicas, one that lags behind may answer a direct read.
    return this.#read(this.#isReplicated ? leaderMessage : directMessage, { last_by_subj: this.writtenAt(channel) })
  }

  /**
   * A record that has been written; undefined when it is no longer kept. What was heard of a server that lost the lead may have had a
   * sequence that another record has now, and one that lags behind may not have it yet: `isIt` says whether it is what others follow.
   */
  async record(sequence: number, isIt: (record: ChannelRecord) => boolean): Promise<Located | undefined> {
    const known = this.#cache.get(sequence)
    if (known && isIt(known)) return { sequence, record: known }
    const query = { seq: sequence }
    const near = known && this.#isReplicated ? undefined : await this.#read(directMessage, query)
    if (near && isIt(near.record)) return near
    const sure = this.#isReplicated ? await this.#read(leaderMessage, query) : undefined
    return sure && isIt(sure.record) ? sure : undefined
  }

  /** Takes a copy of a record that this node has heard or written. */
  remember(sequence: number, encoded: Uint8Array): void {
    this.#cache.remember(sequence, encoded)
  }

  /**
   * Writes a record at a subject behind another one, and gives its sequence; `conflict` when something else is there now, which may be
   * this record, sent before and not answered. Rejects with `broker_unavailable` at the deadline: then it may be written later.
   */
  async append(subject: string, payload: Uint8Array, after: number, deadline: number): Promise<number | 'conflict'> {
    const fields = expecting(headers(), after, this.#isReplicated)
    return this.#again(
      async (attemptMs) => keptAt(await this.#link.session().request(subject, payload, fields, attemptMs)),
      deadline,
    )
  }

  get #isReplicated(): boolean {
    return (this.#information?.config.num_replicas ?? 1) > 1
  }

  get #deadline(): number {
    return performance.now() + this.#link.timeoutMs
  }

  async #read(read: typeof directMessage, query: MessageQuery): Promise<Located | undefined> {
    const message = await this.#again((attemptMs) => read(this.#link.session(), this.name, query, attemptMs), this.#deadline)
    if (!message) return undefined
    const { sequence, data } = message
    const record = decodeRecord(data)
    if (!record) throw unavailable(`message ${sequence} of the stream ${this.name} is none of ours`)
    this.#cache.remember(sequence, data, record)
    return { sequence, record }
  }

  /** Tries until the deadline, as long as the connection stands: nobody may lead the stream for a moment, and answers may be lost. */
  async #again<T>(attempt: (attemptMs: number) => Promise<T>, deadline: number): Promise<T> {
    let reason: unknown
    for (;;) {
      const session = this.#link.session()
      if (!this.#check.hasPassed(session)) await this.#check.pass(session, deadline)
      const now = performance.now()
      if (now >= deadline) throw unavailable(`the stream ${this.name} of NATS has not answered in time`, reason)
      const until = Math.min(deadline, now + this.#link.attemptMs)
      try {
        return await attempt(until - now)
      } catch (error) {
        if (isLeaderless(error)) this.#check.doubt()
        else if (error instanceof ForeignStreamError) throw error
        else if (error instanceof JetStreamError && !isBeingDecided(error))
          throw unavailable(`NATS says: ${error.message}`, error)
        if (!session.isOpen) throw error
        reason = error
        // What was not answered has waited enough.
        if (performance.now() < until) await retryPause()
      }
    }
  }

  async #ensure(session: NatsSession, attemptMs?: number): Promise<void> {
    const found = (await streamInformation(session, this.name, attemptMs)) ?? (await this.#create(session, attemptMs))
    const { config } = found
    const { subjects, republish } = this.#identity
    if (
      config.subjects?.join() !== subjects.join() ||
      config.republish?.src !== republish.src ||
      config.republish.dest !== republish.dest
    )
      throw new ForeignStreamError(`NATS has a stream ${this.name} that is none of ours; choose another brokerPrefix`)
    this.#maxAgeMs = Math.max(this.#maxAgeMs, unlimited(config.max_age) / NANOSECONDS_A_MS)
    this.#maxRecords = Math.max(this.#maxRecords, unlimited(config.max_msgs_per_subject))
    const isEnough =
      config.num_replicas >= this.#options.replicas &&
      unlimited(config.max_age) >= this.#maxAgeMs * NANOSECONDS_A_MS &&
      unlimited(config.max_msgs_per_subject) >= this.#maxRecords &&
      config.duplicate_window >= DUPLICATE_WINDOW_MS * NANOSECONDS_A_MS
    const replicas = Math.max(config.num_replicas, this.#options.replicas)
    const before = this.#information?.created
    this.#information = isEnough
      ? found
      : await updateStream(session, {
          ...config,
          ...this.#limits,
          num_replicas: replicas,
          duplicate_window: Math.max(config.duplicate_window, DUPLICATE_WINDOW_MS * NANOSECONDS_A_MS),
        })
    if (before !== undefined && before !== found.created) {
      this.#cache.clear()
      this.#options.onReset()
    }
  }

  async #create(session: NatsSession, attemptMs?: number): Promise<StreamInformation> {
    const configuration: StreamConfiguration = {
      name: this.name,
      ...this.#identity,
      storage: 'file',
      num_replicas: this.#options.replicas,
      retention: 'limits',
      discard: 'old',
      max_consumers: -1,
      max_msgs: -1,
      max_bytes: -1,
      ...this.#limits,
      duplicate_window: DUPLICATE_WINDOW_MS * NANOSECONDS_A_MS,
      allow_direct: true,
    }
    try {
      return await createStream(session, configuration)
    } catch (error) {
      // Another node was faster.
      const found = error instanceof JetStreamError && (await streamInformation(session, this.name, attemptMs))
      if (found) return found
      throw error
    }
  }

  /** What the stream cannot be used without. */
  get #identity() {
    const src = `${this.name}.c.>`
    return { subjects: [src], republish: { src, dest: `${this.name}.d.>` } }
  }

  get #limits(): { readonly max_age: number; readonly max_msgs_per_subject: number } {
    return {
      max_age: limitOf(this.#maxAgeMs * NANOSECONDS_A_MS, 0),
      max_msgs_per_subject: limitOf(this.#maxRecords, -1),
    }
  }
}

/** Limits of a stream are 0 or less where there is none. */
const unlimited = (limit: number): number => (limit > 0 ? limit : Number.POSITIVE_INFINITY)

const limitOf = (limit: number, none: number): number => (Number.isFinite(limit) ? limit : none)
