import type {
  BrokerListener,
  ChannelState,
  Environment,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishOptions,
} from '@fusewire/engine'
import { jsonSize } from '@fusewire/protocol'
import { type ChannelRecord, decodeRecord, encodeRecord, type Located } from './channel-record.ts'
import { commit, type WaitingPublish } from './commit.ts'
import { Hearing } from './hearing.ts'
import { KnownChannel } from './known-channel.ts'
import { unavailable } from './nats-error.ts'
import { markRecord } from './next-record.ts'
import { readHistory, recordsSince } from './read-channel.ts'
import type { RecordStream } from './record-stream.ts'
import { WorkQueue } from './work-queue.ts'

/** Publications in one record at most. */
const MAX_BATCH = 512

export interface ChannelContext {
  readonly stream: RecordStream
  readonly environment: Environment
  readonly listener: BrokerListener
  readonly idempotencyTtlMs: number
  /** For each answer, in milliseconds. */
  readonly timeoutMs: number
  /** Of a record, unique over all nodes. */
  readonly recordId: () => string
  /** Subscribes to what is written, until the answer is called. */
  readonly listen: (channel: Channel) => () => void
}

/** What one node does to one channel. */
export class Channel {
  readonly name: string
  readonly context: ChannelContext
  readonly known: KnownChannel
  readonly #queue: WorkQueue<WaitingPublish>
  #hearing: Hearing | undefined
  /** What is being written, so that it need not be decoded when it is heard. */
  #writing: { readonly record: ChannelRecord; readonly payload: Uint8Array } | undefined

  constructor(name: string, context: ChannelContext) {
    this.name = name
    this.context = context
    this.known = new KnownChannel(context.stream, context.idempotencyTtlMs)
    this.#queue = new WorkQueue((requests) => commit(this, requests), MAX_BATCH)
  }

  get isOfInterest(): boolean {
    return this.#hearing !== undefined
  }

  get isIdle(): boolean {
    return this.#queue.isIdle && !this.isOfInterest
  }

  /** A channel's time never goes back, whoever writes. */
  get now(): number {
    return Math.max(this.context.environment.now(), this.known.head?.record.time ?? 0)
  }

  publish(draft: PublicationDraft, options: PublishOptions): Promise<Published> {
    return new Promise((resolve, reject) => {
      const request = { draft, draftBytes: jsonSize(draft), options, deadline: this.#deadline, resolve, reject }
      this.#queue.add({ kind: 'publish', request })
    })
  }

  history(query: HistoryQuery): Promise<HistoryPage> {
    return this.#read((head) => readHistory(this.context.stream, head, query, this.context.environment.now()))
  }

  state(): Promise<ChannelState> {
    return this.#read(async (head) => {
      const { epoch, offset, document } = head.record
      const position = { epoch, offset }
      if (!document) return { position }
      const found = await this.known.documentAt(head)
      if (found) return { position, document: found.value, time: document.time }
      await this.#renew((newest) => newest?.sequence === head.sequence, this.#deadline)
      return { position: positionOf(this.known.head) }
    })
  }

  subscribe(): Promise<void> {
    return this.#task(async () => {
      if (this.#hearing) return
      const { context } = this
      const hearing = new Hearing(this.name, context.listener, context.listen(this))
      this.#hearing = hearing
      try {
        // Its answer comes from where records are written, behind the news that we listen: nothing can be missed from here on.
        const newest = await context.stream.newest(this.name)
        hearing.beginAfter(newest)
        if (newest) this.known.advance(newest)
      } catch (error) {
        this.#hearing = undefined
        hearing.stop()
        throw error
      }
    })
  }

  unsubscribe(): Promise<void> {
    return this.#task(async () => {
      this.#hearing?.stop()
      this.#hearing = undefined
    })
  }

  /** Does something else in its turn. */
  inTurn(run: () => void): Promise<void> {
    return this.#task(async () => run())
  }

  clearHistory(): Promise<void> {
    return this.#task(async () => {
      await this.catchUp()
      await this.settleHead(this.#deadline)
      await this.#mark({ clear: true }, (head) => head !== undefined && head.record.kept.from <= head.record.offset)
    })
  }

  removeDocument(): Promise<boolean> {
    return this.#task(async () => {
      const deadline = this.#deadline
      await this.catchUp()
      await this.settleHead(deadline)
      if (!this.known.head?.record.document) return false
      await this.#renew((head) => head?.record.document !== undefined, deadline)
      return true
    })
  }

  /**
   * Does what is to be done though nobody asks for it: ends the document when its time is over, and writes the newest record again when
   * it is older than `oldest`, so that the stream does not forget a channel that somebody is interested in.
   */
  tend(now: number, oldest: number): void {
    this.known.dropKeys(now - this.context.idempotencyTtlMs)
    const { head } = this.known
    if (!head || !this.isOfInterest) return
    const isOld = (newest: Located | undefined): boolean => newest !== undefined && newest.record.time < oldest
    if (!isExpired(head, now) && !isOld(head)) return
    this.#task(async () => {
      await this.settleHead(this.#deadline)
      await this.#mark({ clear: false }, isOld)
    }).catch(() => undefined)
  }

  /** A record may have been missed: tells so, and takes the next one as it comes. */
  interrupt(): void {
    this.known.isStale = true
    this.#hearing?.interrupt()
  }

  /** The stream is another one: nothing that was known holds. */
  reset(): void {
    this.known.forget()
    this.#hearing?.interrupt()
  }

  /** What was published again by the stream. */
  hear(sequence: number, payload: Uint8Array): void {
    const own = this.#writing && Buffer.compare(this.#writing.payload, payload) === 0 ? this.#writing.record : undefined
    const record = own ?? decodeRecord(payload)
    if (!record) return
    const located = { sequence, record }
    this.context.stream.remember(located, payload.length)
    this.#take(located)
  }

  /** Learns the newest record when it is not known, and ends the document when its time is over, or when it is not whole. */
  async settleHead(deadline: number): Promise<void> {
    const { known, context } = this
    if (known.isStale) await this.catchUp()
    await this.#renew((head) => head !== undefined && isExpired(head, context.environment.now()), deadline)
    const { head } = known
    if (head?.record.document && !(await known.documentAt(head)))
      await this.#renew((newest) => newest?.sequence === head.sequence, deadline)
  }

  /**
   * Writes a record behind the head, and gives its sequence; undefined when something else has been written in between, which is known
   * now. Rejects with `broker_unavailable` at the deadline.
   */
  async write(record: ChannelRecord, payload: Uint8Array, deadline: number): Promise<number | undefined> {
    const { stream } = this.context
    this.#writing = { record, payload }
    try {
      const sequence = await stream.append(this.name, payload, record.previous, deadline)
      if (sequence === 'conflict') {
        await this.catchUp()
        return await this.#findWritten(record)
      }
      const located = { sequence, record }
      stream.remember(located, payload.length)
      this.#take(located)
      return sequence
    } catch (error) {
      this.known.isStale = true
      throw error
    } finally {
      this.#writing = undefined
    }
  }

  get #deadline(): number {
    return performance.now() + this.context.timeoutMs
  }

  /** A record that was written, by whomever: heard, or written by us, or found while catching up. */
  #take(located: Located): void {
    const { head } = this.known
    // Sequences that begin again are those of another stream.
    if (head && located.sequence < head.sequence && located.record.time > head.record.time) this.reset()
    this.known.advance(located)
    this.#hearing?.take(located)
  }

  #task<T>(run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#queue.add({ kind: 'task', run: () => run().then(resolve, reject) })
    })
  }

  #read<T>(read: (head: Located) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = async (): Promise<T> => read(await this.#newest())
      this.#queue.add({ kind: 'read', run: () => run().then(resolve, reject) })
    })
  }

  /** The newest record at this moment. A channel without one gets one, so that all nodes know the same position. */
  async #newest(): Promise<Located> {
    const { stream, environment } = this.context
    const before = this.known.head
    const newest = await stream.newest(this.name)
    const isLater = newest !== undefined && newest.sequence >= (before?.sequence ?? 0)
    if (isLater && !isExpired(newest, environment.now())) {
      // What is of interest comes by itself, in order.
      if (!this.#hearing) {
        this.known.advance(newest)
        this.known.isStale = false
      }
      return newest
    }
    const deadline = this.#deadline
    await this.catchUp()
    await this.settleHead(deadline)
    await this.#renew((head) => head === undefined, deadline)
    const { head } = this.known
    if (!head) throw unavailable('NATS has not kept the beginning of the channel')
    return head
  }

  /** Takes what others have written since the newest record that is known. */
  async catchUp(): Promise<void> {
    const { known, context } = this
    const before = known.head
    const newest = await context.stream.newest(this.name)
    if (!newest) {
      known.isStale = false
      if (!before) return
      // The stream has forgotten the channel.
      known.forget()
      known.isStale = false
      this.#hearing?.restart()
      return
    }
    known.isStale = false
    if (before && newest.sequence < before.sequence) {
      await this.#goBack(before, newest)
      return
    }
    if (known.head && newest.sequence <= known.head.sequence) return
    // Where nothing was known, nothing was missed.
    const since = this.#hearing?.delivered ?? known.head?.sequence
    const missed = (since !== undefined && (await recordsSince(context.stream, newest, since))) || [newest]
    for (const located of missed) this.#take(located)
  }

  /**
   * The newest record is older than what was known before: another stream has taken the place of the one before, or this one has lost
   * its end, with records that clients have seen. Then the channel must not give their offsets to others.
   */
  async #goBack(before: Located, newest: Located): Promise<void> {
    this.reset()
    this.known.isStale = false
    this.known.advance(newest)
    this.#hearing?.beginAfter(newest)
    if (newest.record.epoch === before.record.epoch)
      await this.#renew((head) => head?.sequence === newest.sequence, this.#deadline)
  }

  /** The sequence of a record that was sent several times and has arrived once, though its answer has not. */
  async #findWritten({ id, previous }: ChannelRecord): Promise<number | undefined> {
    const { head } = this.known
    // The sequences of another stream begin again.
    if (!head || head.sequence <= previous) return undefined
    const written = await recordsSince(this.context.stream, head, previous)
    if (!written) throw unavailable('nobody knows whether NATS has kept the publication')
    return written.find(({ record }) => record.id === id)?.sequence
  }

  /** Begins another epoch, as long as that is needed. */
  async #renew(isNeeded: (head: Located | undefined) => boolean, deadline: number): Promise<void> {
    if (isNeeded(this.known.head)) await this.#mark({ epoch: this.context.environment.id() }, isNeeded, deadline)
  }

  /** Writes a record without publications, as long as others are faster and do not make it needless. */
  async #mark(
    mark: Parameters<typeof markRecord>[1],
    isNeeded: (head: Located | undefined) => boolean,
    deadline = this.#deadline,
  ): Promise<void> {
    const { recordId, idempotencyTtlMs } = this.context
    while (isNeeded(this.known.head)) {
      const record = markRecord({ head: this.known.head, now: this.now, id: recordId(), idempotencyTtlMs }, mark)
      if ((await this.write(record, encodeRecord(record), deadline)) !== undefined) return
    }
  }
}

const isExpired = ({ record }: Located, now: number): boolean => record.document !== undefined && record.document.expiresAt <= now

const positionOf = (head: Located | undefined): ChannelState['position'] => {
  if (!head) throw unavailable('NATS has not kept the beginning of the channel')
  return { epoch: head.record.epoch, offset: head.record.offset }
}
