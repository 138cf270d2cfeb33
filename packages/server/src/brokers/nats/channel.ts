import type {
  Awaitable,
  BrokerListener,
  ChannelState,
  Environment,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishOptions,
} from '@fusewire/engine'
import { FusewireError, jsonSize } from '@fusewire/protocol'
import { type ChannelRecord, decodeRecord, encodeRecord, firstOffset, type Located, publicationsOf } from './channel-record.ts'
import { unavailable } from './nats-error.ts'
import { COUNT_FIRST, markRecord, nextRecord, type Outcome, type Request, type Step, type Surroundings } from './next-record.ts'
import {
  type DocumentAt,
  keysOf,
  readDocument,
  readHistory,
  readKeys,
  readSizes,
  recordsSince,
  type UsedKey,
} from './read-channel.ts'
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

interface Waiting extends Request {
  readonly deadline: number
  readonly resolve: (published: Published) => void
  readonly reject: (error: unknown) => void
}

/** What this node has heard of a channel of interest. */
interface Hearing {
  readonly stop: () => void
  /** Sequence of the newest record that the listener has been given; undefined while that may be any. */
  delivered: number | undefined
  epoch: string | undefined
}

/** What one node knows of one channel, and does to it. */
export class Channel {
  readonly name: string
  readonly #context: ChannelContext
  readonly #queue: WorkQueue<Waiting>
  /** The newest record that is known. */
  #head: Located | undefined
  /** Whether there may be a newer one, or the channel is not known at all. */
  #isStale = true
  #hearing: Hearing | undefined
  /** Keys within the window, the oldest first; undefined until one is used here, and when a record may have been missed. */
  #keys: Map<string, UsedKey> | undefined
  /** Of each publication that is kept; undefined until they matter. */
  #sizes: number[] | undefined
  #document: DocumentAt | undefined
  /** Records in this idempotency window and the one before, of a channel whose keys matter. */
  #records = { since: 0, count: 0, before: 0 }
  /** What is being written, so that it need not be decoded when it is heard. */
  #writing: { readonly record: ChannelRecord; readonly payload: Uint8Array } | undefined

  constructor(name: string, context: ChannelContext) {
    this.name = name
    this.#context = context
    this.#queue = new WorkQueue((requests) => this.#publish(requests), MAX_BATCH)
  }

  get isOfInterest(): boolean {
    return this.#hearing !== undefined
  }

  get isIdle(): boolean {
    return this.#queue.isIdle && !this.isOfInterest
  }

  /** When its document's time is over, in milliseconds since 1970; undefined without one. */
  get expiresAt(): number | undefined {
    return this.#head?.record.document?.expiresAt
  }

  /** When its newest record was written, as far as that is known. */
  get usedAt(): number | undefined {
    return this.#head?.record.time
  }

  publish(draft: PublicationDraft, options: PublishOptions): Promise<Published> {
    return new Promise((resolve, reject) => {
      const request = { draft, draftBytes: jsonSize(draft), options, deadline: this.#deadline, resolve, reject }
      this.#queue.add({ kind: 'publish', request })
    })
  }

  history(query: HistoryQuery): Promise<HistoryPage> {
    return this.#read(async (head) => readHistory(this.#context.stream, head, query, this.#context.environment.now()))
  }

  state(): Promise<ChannelState> {
    return this.#read(async (head) => {
      const { epoch, offset, document } = head.record
      const position = { epoch, offset }
      const found = await this.#documentAt(head)
      return document && found ? { position, document: found.value, time: document.time } : { position }
    })
  }

  subscribe(): Promise<void> {
    return this.#task(async () => {
      if (this.#hearing) return
      const hearing: Hearing = { stop: this.#context.listen(this), delivered: undefined, epoch: undefined }
      this.#hearing = hearing
      try {
        // Its answer comes from where records are written, behind the news that we listen: nothing can be missed from here on.
        const newest = await this.#context.stream.newest(this.name)
        const sequence = newest?.sequence ?? 0
        if (hearing.delivered === undefined || hearing.delivered < sequence) {
          hearing.delivered = sequence
          hearing.epoch = newest?.record.epoch
        }
        if (newest) this.#advance(newest)
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
      await this.#settleHead(this.#deadline)
      const record = this.#head?.record
      if (record && record.kept.from <= record.offset) await this.#mark({ clear: true })
    })
  }

  removeDocument(): Promise<boolean> {
    return this.#task(async () => {
      await this.#settleHead(this.#deadline)
      if (!this.#head?.record.document) return false
      await this.#mark({ epoch: this.#context.environment.id() })
      return true
    })
  }

  /** Ends the document when its time is over, though nobody asks for it. */
  expire(): void {
    this.#task(() => this.#settleHead(this.#deadline)).catch(() => undefined)
  }

  /** Writes the newest record again, so that the channel is not forgotten while somebody is interested. */
  refresh(before: number): void {
    this.#task(async () => {
      await this.#settleHead(this.#deadline)
      if (this.#head && this.#head.record.time < before) await this.#mark({ clear: false })
    }).catch(() => undefined)
  }

  /** Forgets what has expired. */
  dropExpired(now: number): void {
    if (!this.#keys) return
    for (const [key, { time }] of this.#keys) {
      if (time > now - this.#context.idempotencyTtlMs) break
      this.#keys.delete(key)
    }
  }

  /** A record may have been missed: tells so, and takes the next one as it comes. */
  interrupt(): void {
    this.#isStale = true
    if (!this.#hearing) return
    this.#hearing.delivered = undefined
    this.#context.listener.interrupted(this.name)
  }

  /** The stream is another one: nothing that was known holds. */
  reset(): void {
    this.#forget()
    this.interrupt()
  }

  /** What was published again by the stream. */
  hear(sequence: number, payload: Uint8Array): void {
    const own = this.#writing && Buffer.compare(this.#writing.payload, payload) === 0 ? this.#writing.record : undefined
    const record = own ?? decodeRecord(payload)
    if (!record) return
    const located = { sequence, record }
    this.#context.stream.remember(located, payload.length)
    this.take(located)
  }

  /** A record that was written, by whomever: heard, or written by us, or found while catching up. */
  take(located: Located): void {
    const { sequence, record } = located
    // Sequences that begin again are those of another stream.
    if (this.#head && sequence < this.#head.sequence && record.time > this.#head.record.time) this.#forget()
    this.#advance(located)
    const hearing = this.#hearing
    if (!hearing) return
    const { delivered, epoch } = hearing
    if (delivered !== undefined && sequence <= delivered) return
    hearing.delivered = sequence
    hearing.epoch = record.epoch
    const isNext = delivered === undefined ? record.publications.length > 0 : record.previous === delivered
    const { listener } = this.#context
    if (!isNext || (epoch !== undefined && epoch !== record.epoch)) listener.interrupted(this.name)
    for (const publication of publicationsOf(record)) listener.publication(this.name, publication, record.epoch)
  }

  get #deadline(): number {
    return performance.now() + this.#context.timeoutMs
  }

  #forget(): void {
    this.#head = undefined
    this.#isStale = true
    this.#keys = undefined
    this.#sizes = undefined
    this.#document = undefined
  }

  /** Keeps what is known in step with a record, as far as nothing lies between. */
  #advance(located: Located): void {
    const { sequence, record } = located
    const head = this.#head
    if (head && sequence <= head.sequence) return
    this.#count(record.time)
    const follows = record.previous === (head?.sequence ?? 0)
    if (follows) {
      if (this.#keys) for (const [key, used] of keysOf(located)) this.#keys.set(key, used)
      if (this.#sizes) this.#sizes = sizesAfter(this.#sizes, head?.record, record)
    } else {
      this.#keys = undefined
      this.#sizes = undefined
    }
    this.#head = located
  }

  #task<T>(run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#queue.add({ kind: 'task', run: () => run().then(resolve, reject) })
    })
  }

  #read<T>(read: (head: Located) => Awaitable<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = async (): Promise<T> => read(await this.#newest())
      this.#queue.add({ kind: 'read', run: () => run().then(resolve, reject) })
    })
  }

  /** The newest record at this moment. A channel without one gets one, so that all nodes know the same position. */
  async #newest(): Promise<Located> {
    const { stream, environment } = this.#context
    const newest = await stream.newest(this.name)
    if (newest && !isExpired(newest, environment.now())) {
      // What is of interest comes by itself, in order.
      if (!this.#hearing) {
        this.#advance(newest)
        this.#isStale = false
      }
      return newest
    }
    const deadline = this.#deadline
    await this.#catchUp()
    await this.#settleHead(deadline)
    if (!this.#head) await this.#mark({ epoch: environment.id() })
    if (!this.#head) throw unavailable('the channel has been written to by others all the time')
    return this.#head
  }

  /** Learns the newest record when it is not known, and ends the document when its time is over. */
  async #settleHead(deadline: number): Promise<void> {
    if (this.#isStale) await this.#catchUp()
    while (this.#head && isExpired(this.#head, this.#context.environment.now())) {
      assertBefore(deadline)
      await this.#mark({ epoch: this.#context.environment.id() })
    }
  }

  /** Takes what others have written since the newest record that is known, and gives it. */
  async #catchUp(): Promise<readonly Located[]> {
    const { stream, listener } = this.#context
    const before = this.#head
    const newest = await stream.newest(this.name)
    this.#isStale = false
    if (!newest) {
      if (!before) return []
      // The stream has forgotten the channel.
      this.#forget()
      this.#isStale = false
      if (this.#hearing) {
        Object.assign(this.#hearing, { delivered: 0, epoch: undefined })
        listener.interrupted(this.name)
      }
      return []
    }
    // What was known before is newer only in another stream; what was heard meanwhile may be.
    if (before && newest.sequence < before.sequence) {
      this.reset()
      this.#isStale = false
    }
    const head = this.#head
    if (head && newest.sequence <= head.sequence) return []
    const missed = (await recordsSince(stream, newest, head?.sequence ?? 0)) ?? [newest]
    for (const located of missed) this.take(located)
    return missed
  }

  /** Writes a record without publications, unless others are faster all the time. */
  async #mark(mark: Parameters<typeof markRecord>[1]): Promise<void> {
    const { recordId, idempotencyTtlMs } = this.#context
    const deadline = this.#deadline
    const epochBefore = this.#head?.record.epoch
    do {
      const around = { head: this.#head, now: this.#now, id: recordId(), idempotencyTtlMs }
      if (await this.#write(markRecord(around, mark), deadline)) return
      // Somebody else has done the same.
    } while (this.#head?.record.epoch === epochBefore)
  }

  /** False when something else has been written in between, which is known now. Rejects with `broker_unavailable` at the deadline. */
  async #write(record: ChannelRecord, deadline: number, payload = encodeRecord(record)): Promise<boolean> {
    const { stream } = this.#context
    this.#writing = { record, payload }
    try {
      const sequence = await stream.append(this.name, payload, record.previous, deadline)
      if (sequence === 'conflict') {
        const missed = await this.#catchUp()
        return missed.some((located) => located.record.id === record.id)
      }
      const located = { sequence, record }
      stream.remember(located, payload.length)
      this.take(located)
    } catch (error) {
      this.#isStale = true
      throw error
    } finally {
      this.#writing = undefined
    }
    return true
  }

  async #publish(requests: readonly Waiting[]): Promise<void> {
    let waiting = requests.filter((request) => {
      const isLate = request.deadline <= performance.now()
      if (isLate) request.reject(unavailable('the channel was busy for too long'))
      return !isLate
    })
    while (waiting.length > 0) {
      let together = waiting
      try {
        const deadline = Math.min(...together.map((request) => request.deadline))
        const done = await this.#commit(together, deadline, (fewer) => {
          together = fewer
        })
        if (!done) continue
        for (const [index, request] of together.entries()) settle(request, done[index])
      } catch (error) {
        for (const request of together) request.reject(error)
      }
      waiting = waiting.slice(together.length)
    }
  }

  /** Undefined when others were faster. `only` is told when not all of them fit into one record. */
  async #commit(
    requests: readonly Waiting[],
    deadline: number,
    only: (fewer: Waiting[]) => void,
  ): Promise<readonly Outcome[] | undefined> {
    assertBefore(deadline)
    await this.#settleHead(deadline)
    const { stream } = this.#context
    await stream.keep(...this.#needs(requests))
    let together = requests
    for (;;) {
      const step = await this.#next(together)
      if (!step.record) return step.outcomes
      const payload = encodeRecord(step.record)
      if (payload.length > stream.maxRecordBytes) {
        if (together.length === 1)
          throw new FusewireError(
            'message_too_large',
            `the publication is larger than a message of NATS may be (${stream.maxRecordBytes} bytes)`,
          )
        together = together.slice(0, Math.ceil(together.length / 2))
        only([...together])
        continue
      }
      const isWritten = await this.#write(step.record, deadline, payload)
      if (!isWritten) return undefined
      if (this.#head) this.#document = { sequence: this.#head.sequence, value: step.document }
      return step.outcomes
    }
  }

  /** How long records must be kept for these requests, in milliseconds, and how many. */
  #needs(requests: readonly Request[]): [ms: number, records: number] {
    const { idempotencyTtlMs } = this.#context
    let ms = 0
    let records = 0
    for (const { options } of requests) {
      if (options.historySize > 0) {
        ms = Math.max(ms, options.historyTtlMs)
        records = Math.max(records, options.historySize)
      }
      if (options.state) ms = Math.max(ms, options.state.ttlMs)
      if (options.idempotencyKey !== undefined) ms = Math.max(ms, idempotencyTtlMs)
    }
    if (this.#keys) {
      const { count, before } = this.#records
      // As many again may come before anybody looks.
      records = Math.max(records, 2 * (count + before))
    }
    return [ms, records]
  }

  #count(time: number): void {
    const { since, count } = this.#records
    if (time - since < this.#context.idempotencyTtlMs) this.#records.count++
    else this.#records = { since: time, count: 1, before: since === 0 ? 0 : count }
  }

  /** Works out what to write, with whatever that needs to know. */
  async #next(requests: readonly Request[]): Promise<Step> {
    const { stream, environment, idempotencyTtlMs } = this.#context
    const head = this.#head
    const now = this.#now
    const since = now - idempotencyTtlMs
    if (!this.#keys && requests.some(({ options }) => options.idempotencyKey !== undefined))
      this.#keys = head ? await readKeys(stream, head, since) : new Map()
    const around: Surroundings = {
      head,
      now,
      id: this.#context.recordId(),
      newEpoch: head ? head.record.epoch : environment.id(),
      idempotencyTtlMs,
      usedAt: (key) => {
        const used = this.#keys?.get(key)
        return used && used.time > since ? used.position : undefined
      },
      document: head && (await this.#documentAt(head)),
      sizes: this.#sizes,
      maxAgeMs: stream.maxAgeMs,
    }
    const step = nextRecord(requests, around)
    if (step !== COUNT_FIRST) return step
    this.#sizes = head ? await readSizes(stream, head) : []
    const counted = nextRecord(requests, { ...around, sizes: this.#sizes })
    if (counted === COUNT_FIRST) throw new RangeError('sizes that are known were asked for')
    return counted
  }

  async #documentAt(head: Located): Promise<DocumentAt['value']> {
    if (!head.record.document) return undefined
    const value = await readDocument(this.#context.stream, head, this.#document)
    if (!value) throw unavailable(`the document of the channel is no longer whole in the stream of NATS`)
    this.#document = { sequence: head.sequence, value }
    return value
  }

  /** A channel's time never goes back, whoever writes. */
  get #now(): number {
    return Math.max(this.#context.environment.now(), this.#head?.record.time ?? 0)
  }
}

const isExpired = ({ record }: Located, now: number): boolean => record.document !== undefined && record.document.expiresAt <= now

const assertBefore = (deadline: number): void => {
  if (performance.now() >= deadline) throw unavailable('NATS has not answered in time')
}

const settle = (request: Waiting, outcome: Outcome | undefined): void => {
  if (!outcome) request.reject(new RangeError('a request without an outcome'))
  else if (outcome.kind === 'refused') request.reject(outcome.error)
  else request.resolve({ position: outcome.position, duplicate: outcome.kind === 'duplicate' })
}

/** What is kept after a record that follows another one. */
const sizesAfter = (before: readonly number[], previous: ChannelRecord | undefined, record: ChannelRecord): number[] => {
  const { from } = record.kept
  const isSame = previous?.epoch === record.epoch
  const oldest = isSame && previous.kept.from <= previous.offset ? previous.kept.from : firstOffset(record)
  const sizes = [...(isSame ? before : []), ...record.publications.map(({ bytes }) => bytes)]
  return sizes.slice(Math.max(0, from - oldest))
}
