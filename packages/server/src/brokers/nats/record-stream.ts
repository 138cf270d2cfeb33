import { setTimeout as delay } from 'node:timers/promises'
import { headers } from '@nats-io/transport-node'
import { brokerName } from '../broker-name.ts'
import { type ChannelRecord, decodeRecord, type Located } from './channel-record.ts'
import { DUPLICATE_WINDOW_MS, expecting, isBeingDecided, keptAt } from './expecting.ts'
import { JetStreamError, NoRespondersError, unavailable } from './nats-error.ts'
import type { NatsLink } from './nats-link.ts'
import type { NatsSession } from './nats-session.ts'
import { RecordCache } from './record-cache.ts'
import {
  createStream,
  directMessage,
  leaderMessage,
  type MessageQuery,
  type StoredMessage,
  type StreamConfiguration,
  type StreamInformation,
  streamInformation,
  updateStream,
} from './stream-api.ts'

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
const LEAST_RETRY_MS = 20
const MOST_RETRY_MS = 250
/** For headers, of what the server takes as one message. */
const HEADER_BYTES = 512

export interface RecordStreamOptions {
  readonly prefix: string
  /** Servers that keep each record. */
  readonly replicas: number
  readonly random: () => number
  /** The stream is another one than before: nothing of what was known of it holds. */
  readonly onReset: () => void
}

/** The stream of all channels' records, one subject for each channel. */
export class RecordStream {
  readonly name: string
  readonly #link: NatsLink
  readonly #options: RecordStreamOptions
  readonly #cache = new RecordCache(MAX_CACHE_BYTES)
  #information: StreamInformation | undefined
  /** Over which the stream was last found to be what it has to be. After any other connection it may be another one, or none. */
  #ensuredOver: NatsSession | undefined
  #maxAgeMs = LEAST_MAX_AGE_MS
  #maxRecords = LEAST_MAX_RECORDS
  #ensuring: Promise<void> | undefined

  constructor(link: NatsLink, options: RecordStreamOptions) {
    this.#link = link
    this.#options = options
    this.name = brokerName(options.prefix)
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
  async ensure(session: NatsSession): Promise<void> {
    const found = (await streamInformation(session, this.name)) ?? (await this.#create(session))
    const { config } = found
    const { subjects, republish } = this.#identity
    if (
      config.subjects?.join() !== subjects.join() ||
      config.republish?.src !== republish.src ||
      config.republish.dest !== republish.dest
    )
      throw unavailable(`NATS has a stream ${this.name} that is none of ours; choose another brokerPrefix`)
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
    this.#ensuredOver = session
    if (before !== undefined && before !== found.created) {
      this.#cache.clear()
      this.#options.onReset()
    }
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
      await this.#again(() => this.ensure(this.#link.session()), this.#deadline)
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

  async #read(
    read: (session: NatsSession, name: string, query: MessageQuery) => Promise<StoredMessage | undefined>,
    query: MessageQuery,
  ): Promise<Located | undefined> {
    const message = await this.#again(() => read(this.#link.session(), this.name, query), this.#deadline)
    if (!message) return undefined
    const { sequence, data } = message
    const record = decodeRecord(data)
    if (!record) throw unavailable(`message ${sequence} of the stream ${this.name} is none of ours`)
    this.#cache.remember(sequence, data, record)
    return { sequence, record }
  }

  /** Tries until the deadline, as long as the connection stands: nobody may lead the stream for a moment, and answers may be lost. */
  async #again<T>(attempt: (attemptMs: number) => Promise<T>, deadline: number): Promise<T> {
    for (;;) {
      const left = deadline - performance.now()
      if (left <= 0) throw unavailable(`the stream ${this.name} of NATS has not answered in time`)
      const session = this.#link.session()
      if (this.#ensuredOver !== session) {
        await this.#findStream(session, deadline)
        if (this.#ensuredOver !== session) await this.#pause()
        continue
      }
      try {
        return await attempt(Math.min(left, Math.max(500, this.#link.timeoutMs / 4)))
      } catch (error) {
        if (isBeingDecided(error)) await this.#pause()
        else if (error instanceof JetStreamError) throw unavailable(`NATS says: ${error.message}`, error)
        if (!session.isOpen) throw error
        if (error instanceof NoRespondersError) {
          await this.#findStream(session, deadline)
          await this.#pause()
        }
      }
    }
  }

  /** Somebody may have deleted the stream. Waits until this moment at most. */
  async #findStream(session: NatsSession, deadline: number): Promise<void> {
    this.#ensuring ??= this.ensure(session)
      .catch(() => undefined)
      .finally(() => {
        this.#ensuring = undefined
      })
    await Promise.race([this.#ensuring, delay(Math.max(0, deadline - performance.now()), undefined, { ref: false })])
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, LEAST_RETRY_MS + this.#options.random() * MOST_RETRY_MS))
  }

  async #create(session: NatsSession): Promise<StreamInformation> {
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
      const found = error instanceof JetStreamError && (await streamInformation(session, this.name))
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
