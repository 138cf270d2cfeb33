import { FusewireError } from '@fusewire/protocol'
import { headers, type MsgHdrs } from '@nats-io/transport-node'
import { DUPLICATE_WINDOW_MS, expecting, isBeingDecided, keptAt } from './expecting.ts'
import {
  ForeignStreamError,
  isLeaderless,
  JETSTREAM_CODES,
  JetStreamError,
  NoRespondersError,
  unavailable,
} from './nats-error.ts'
import type { NatsLink } from './nats-link.ts'
import type { NatsSession } from './nats-session.ts'
import { retryPause } from './retry-pause.ts'
import {
  askJetStream,
  createStream,
  leaderMessage,
  type StreamConfiguration,
  streamInformation,
  updateStream,
} from './stream-api.ts'
import { StreamCheck } from './stream-check.ts'

/** What a key holds. */
export interface KvEntry {
  readonly key: string
  /** Its revision: the place in the bucket's stream, which grows with each change of any key. */
  readonly revision: number
  /** When it was written, in milliseconds since the epoch of the server. */
  readonly time: number
  /** What can be read without the value: ASCII, in the words of whoever uses the bucket. */
  readonly meta: string
  /** Empty where only `meta` was asked for. */
  readonly value: Uint8Array
}

/** A change was refused: the key has another revision than was expected. */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict'
}

export interface KvBucketOptions {
  /** Servers that keep each entry. */
  readonly replicas: number
  /** How long what nobody writes again is kept, in milliseconds: the net under all that should have been removed. */
  readonly maxAgeMs: number
}

/** Calls that wait for an answer at a time; the others wait for them. */
const MAX_CALLS = 512

/** Of the time for an answer: with less than this left nothing is sent, since it might be carried out, and fail here all the same. */
const LEAST_SHARE = 1 / 50

/** For headers, of what the server takes as one message. */
const HEADER_BYTES = 1024
const META = 'Fusewire'
const EMPTY = new Uint8Array()

/**
 * A bucket as JetStream's key-value stores are (ADR-8): a stream with one message for each key. It is used without the library for
 * them, which has no headers, cannot tell one's own removal from another's, and keeps a marker for whatever was removed.
 */
export class KvBucket {
  readonly name: string
  readonly #link: NatsLink
  readonly #options: KvBucketOptions
  readonly #prefix: string
  readonly #check: StreamCheck
  readonly #waiting: (() => void)[] = []
  readonly #lostListeners = new Set<() => void>()
  /** Of the stream as it is. */
  #replicas = 1
  #calls = 0
  /** Over which it has been there. */
  #foundOver: NatsSession | undefined

  constructor(link: NatsLink, name: string, options: KvBucketOptions) {
    this.#link = link
    this.name = name
    this.#options = options
    this.#prefix = `$KV.${name}.`
    this.#check = new StreamCheck({
      name: this.stream,
      attemptMs: link.attemptMs,
      check: (session, attemptMs) => this.#ensure(session, attemptMs),
    })
  }

  get stream(): string {
    return `KV_${this.name}`
  }

  /** How long what nobody writes again is kept, in milliseconds. */
  get maxAgeMs(): number {
    return this.#options.maxAgeMs
  }

  subject(key: string): string {
    return this.#prefix + key
  }

  key(subject: string): string {
    return subject.slice(this.#prefix.length)
  }

  /** Tells whenever the bucket had to be made anew while the node was at work: everything in it is gone. */
  onLost(listener: () => void): () => void {
    this.#lostListeners.add(listener)
    return () => this.#lostListeners.delete(listener)
  }

  /** Makes the bucket where there is none. Rejects with `broker_unavailable`, which says what is wrong with the one that is there. */
  async ensure(session: NatsSession): Promise<void> {
    try {
      await this.#check.run(session)
    } catch (error) {
      if (error instanceof FusewireError) throw error
      throw unavailable(`NATS at ${session.name} cannot keep the bucket ${this.name}: ${reasonOf(error)}`, error)
    }
  }

  /**
   * Writes, and gives the revision. With `expected`, only when that is the key's revision (0: when there is none); otherwise rejects
   * with {@link RevisionConflict}.
   */
  async put(key: string, meta: string, value: Uint8Array = EMPTY, expected?: number): Promise<number> {
    const fields = headers()
    fields.set(META, meta)
    if (expected !== undefined) expecting(fields, expected, this.#replicas > 1)
    return this.#call(async (session, timeoutMs) => {
      if (value.length + HEADER_BYTES > session.maxPayload)
        throw new FusewireError(
          'message_too_large',
          `${value.length} bytes are more than NATS takes (max_payload ${session.maxPayload})`,
        )
      return this.#write(session, key, value, fields, timeoutMs)
    })
  }

  /** From the server that leads the bucket, which has whatever was acknowledged. Undefined when it is not there. */
  async get(key: string): Promise<KvEntry | undefined> {
    return this.#call(async (session, timeoutMs) => {
      const found = await leaderMessage(session, this.stream, { last_by_subj: this.subject(key) }, timeoutMs)
      return found && { key, revision: found.sequence, time: found.time, meta: metaOf(found.fields), value: found.data }
    })
  }

  /** Removes what is there under a revision, without a trace: who watches the bucket does not hear of it. False when it is not there. */
  async erase(revision: number): Promise<boolean> {
    return this.#call(async (session, timeoutMs) => {
      try {
        await askJetStream(session, `STREAM.MSG.DELETE.${this.stream}`, { seq: revision, no_erase: true }, timeoutMs)
        return true
      } catch (error) {
        if (error instanceof JetStreamError && GONE.has(error.code)) return false
        throw error
      }
    })
  }

  async #write(session: NatsSession, key: string, value: Uint8Array, fields: MsgHdrs, timeoutMs: number): Promise<number> {
    const answer = await session.request(this.subject(key), value, fields, timeoutMs)
    try {
      const kept = keptAt(answer)
      if (kept !== 'conflict') return kept
    } catch (error) {
      if (error instanceof JetStreamError && error.code === JETSTREAM_CODES.messageTooLarge)
        throw new FusewireError('message_too_large', `NATS: ${error.message}`)
      throw error
    }
    throw new RevisionConflict()
  }

  /**
   * Tries again when nobody leads the bucket, or somebody has deleted it, within the time that one answer may take, from when its turn
   * comes: each attempt has what is left of it. What is refused for another reason than a conflict or its size is the broker's fault,
   * whatever that is.
   */
  async #call<T>(attempt: (session: NatsSession, timeoutMs: number) => Promise<T>): Promise<T> {
    while (this.#calls >= MAX_CALLS) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#calls++
    const deadline = performance.now() + this.#link.timeoutMs
    const leastMs = this.#link.timeoutMs * LEAST_SHARE
    let refusal: unknown
    try {
      for (;;) {
        const leftMs = deadline - performance.now()
        if (leftMs < leastMs) throw refusal ?? unavailable(`the stream ${this.stream} of NATS has not answered in time`)
        const session = this.#link.session()
        if (!this.#check.hasPassed(session)) {
          await this.#check.pass(session, deadline)
          continue
        }
        try {
          return await attempt(session, leftMs)
        } catch (error) {
          const isDecided = !isBeingDecided(error)
          if (isDecided && !isLeaderless(error)) throw error
          if (isDecided) this.#check.doubt()
          refusal = error
          await retryPause()
        }
      }
    } catch (error) {
      if (error instanceof FusewireError || error instanceof RevisionConflict) throw error
      throw unavailable(`the bucket ${this.name} cannot be used: ${reasonOf(error)}`, error)
    } finally {
      this.#calls--
      this.#waiting.shift()?.()
    }
  }

  async #ensure(session: NatsSession, attemptMs?: number): Promise<void> {
    const wasThere = this.#foundOver === session
    const wanted = this.#configuration()
    const existing = await streamInformation(session, this.stream, attemptMs)
    if (existing) await this.#adapt(session, existing.config, wanted)
    else await createStream(session, wanted)
    this.#replicas = Math.max(wanted.num_replicas, existing?.config.num_replicas ?? 1)
    this.#foundOver = session
    // After another connection everything is read again, and put again, in any case.
    if (!existing && wasThere) for (const listener of this.#lostListeners) listener()
  }

  async #adapt(session: NatsSession, existing: StreamConfiguration, wanted: StreamConfiguration): Promise<void> {
    const misfits = ['retention', 'max_msgs_per_subject', 'storage'].filter((name) => existing[name] !== wanted[name])
    if (existing.subjects?.join() !== wanted.subjects.join()) misfits.push('subjects')
    if (misfits.length > 0)
      throw new ForeignStreamError(
        `NATS at ${session.name} has a stream ${this.stream} that is not Fusewire's (${misfits.join(', ')}); choose another brokerPrefix, or remove it`,
      )
    // Never less than another node has asked for.
    const replicas = Math.max(existing.num_replicas, wanted.num_replicas)
    const maxAge = existing.max_age === 0 ? 0 : Math.max(existing.max_age, wanted.max_age)
    if (replicas === existing.num_replicas && maxAge === existing.max_age) return
    await updateStream(session, { ...existing, num_replicas: replicas, max_age: maxAge })
  }

  #configuration(): StreamConfiguration {
    return {
      name: this.stream,
      subjects: [`${this.#prefix}>`],
      retention: 'limits',
      storage: 'file',
      discard: 'new',
      max_msgs_per_subject: 1,
      max_age: this.#options.maxAgeMs * 1_000_000,
      duplicate_window: DUPLICATE_WINDOW_MS * 1_000_000,
      num_replicas: this.#options.replicas,
      allow_direct: true,
      allow_rollup_hdrs: true,
    }
  }
}

const { streamNotFound, noMessage, noSuchMessage } = JETSTREAM_CODES
const GONE = new Set<number>([noSuchMessage, noMessage, streamNotFound])

const reasonOf = (error: unknown): string => {
  if (error instanceof NoRespondersError) return 'nobody leads it at the moment'
  return error instanceof Error ? error.message : String(error)
}

const metaOf = (fields: string): string => /^Fusewire: ?(.*)$/mu.exec(fields)?.[1]?.trim() ?? ''

/** What a message of the bucket's stream says without its value. */
export const metaHeader = (fields: MsgHdrs | undefined): string => fields?.get(META) ?? ''
