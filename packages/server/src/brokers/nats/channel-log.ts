import type { BrokerListener, Environment } from '@fusewire/engine'
import type { Msg } from '@nats-io/transport-node'
import { type ChannelRecord, decodeRecord, encodeRecord, type Located } from './channel-record.ts'
import { Hearing } from './hearing.ts'
import { KnownChannel } from './known-channel.ts'
import { unavailable } from './nats-error.ts'
import { markRecord } from './next-record.ts'
import { recordsSince } from './read-channel.ts'
import type { RecordStream } from './record-stream.ts'
import type { TurnEnd } from './turn-end.ts'

export interface ChannelContext {
  readonly stream: RecordStream
  readonly environment: Environment
  readonly listener: BrokerListener
  readonly idempotencyTtlMs: number
  /** For each answer, in milliseconds. */
  readonly timeoutMs: number
  /** For all channels, so that the records of one turn leave together. */
  readonly turnEnd: TurnEnd
  /** Of a record, unique over all nodes. */
  readonly recordId: () => string
  /** Subscribes to what is written, until the answer is called. */
  readonly listen: (log: ChannelLog) => () => void
}

/** What is being written. */
interface Writing {
  readonly record: ChannelRecord
  readonly payload: Uint8Array
  /** What the stream has published again of it before it has answered. */
  copy: Msg | undefined
}

/** The records of one channel, as one node knows, hears and writes them. One thing at a time: {@link Channel} sees to that. */
export class ChannelLog {
  readonly name: string
  readonly context: ChannelContext
  readonly known: KnownChannel
  #hearing: Hearing | undefined
  readonly #subject: string
  #writing: Writing | undefined

  constructor(name: string, context: ChannelContext) {
    this.name = name
    this.context = context
    this.known = new KnownChannel(context.stream, context.idempotencyTtlMs)
    this.#subject = context.stream.writtenAt(name)
  }

  get isHeard(): boolean {
    return this.#hearing !== undefined
  }

  /** A channel's time never goes back, whoever writes. */
  get now(): number {
    return Math.max(this.context.environment.now(), this.known.head?.record.time ?? 0)
  }

  /** Of what begins now. */
  get deadline(): number {
    return performance.now() + this.context.timeoutMs
  }

  /** Hands everything that is written from here on to the listener. */
  async listen(): Promise<void> {
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
  }

  stopListening(): void {
    this.#hearing?.stop()
    this.#hearing = undefined
  }

  /** A record may have been missed: tells so, and takes the next one as it comes. */
  interrupt(): void {
    this.known.isStale = true
    this.#hearing?.interrupt()
  }

  /** The stream is another one: nothing that was known holds. */
  reset(): void {
    if (this.#writing) this.#writing.copy = undefined
    this.known.forget()
    this.#hearing?.interrupt()
  }

  /** Takes what the stream has published again; false for what it has not. */
  hear(message: Msg): boolean {
    const { data } = message
    const writing = this.#writing
    if (writing && Buffer.compare(writing.payload, data) === 0) {
      // The answer is right behind it and has the sequence too: to find that among headers takes as long as all else here.
      writing.copy = message
      return true
    }
    const sequence = sequenceOf(message)
    if (sequence === 0) return false
    this.#takeCopy()
    const record = decodeRecord(data)
    if (!record) return true
    this.context.stream.remember(sequence, data)
    this.#take({ sequence, record })
    return true
  }

  /** Whether {@link settle} has nothing to do. */
  get isSettled(): boolean {
    return !this.known.isStale && this.known.head?.record.document === undefined
  }

  /** Learns the newest record when it is not known, and ends the document when its time is over, or when it is not whole. */
  async settle(deadline: number): Promise<void> {
    const { known, context } = this
    if (known.isStale) await this.catchUp()
    await this.renew((head) => head !== undefined && isExpired(head, context.environment.now()), deadline)
    const { head } = known
    if (head?.record.document && !(await known.documentAt(head)))
      await this.renew((newest) => newest?.sequence === head.sequence, deadline)
  }

  /**
   * Writes a record behind the head, and gives its sequence; undefined when something else has been written in between, which is known
   * now. Rejects with `broker_unavailable` at the deadline.
   */
  async write(record: ChannelRecord, payload: Uint8Array, deadline: number): Promise<number | undefined> {
    const { stream } = this.context
    this.#writing = { record, payload, copy: undefined }
    try {
      const sequence = await stream.append(this.#subject, payload, record.previous, deadline)
      if (sequence === 'conflict') {
        await this.catchUp()
        return await this.#findWritten(record)
      }
      this.#takeWritten(record, payload, sequence)
      return sequence
    } catch (error) {
      this.#takeCopy()
      this.known.isStale = true
      throw error
    } finally {
      this.#writing = undefined
    }
  }

  /** The newest record at this moment. A channel without one gets one, so that all nodes know the same position. */
  async newest(): Promise<Located> {
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
    const deadline = this.deadline
    await this.catchUp()
    await this.settle(deadline)
    await this.renew((head) => head === undefined, deadline)
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
    if (newest.record.epoch === before.record.epoch) await this.renew((head) => head?.sequence === newest.sequence, this.deadline)
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
  async renew(isNeeded: (head: Located | undefined) => boolean, deadline: number): Promise<void> {
    if (isNeeded(this.known.head)) await this.mark({ epoch: this.context.environment.id() }, isNeeded, deadline)
  }

  /** Writes a record without publications, as long as others are faster and do not make it needless. */
  async mark(
    mark: Parameters<typeof markRecord>[1],
    isNeeded: (head: Located | undefined) => boolean,
    deadline = this.deadline,
  ): Promise<void> {
    const { recordId, idempotencyTtlMs } = this.context
    while (isNeeded(this.known.head)) {
      const record = markRecord({ head: this.known.head, now: this.now, id: recordId(), idempotencyTtlMs }, mark)
      if ((await this.write(record, encodeRecord(record), deadline)) !== undefined) return
    }
  }

  /** What is being written and has been heard comes before whatever is taken next, and may not be answered any more. */
  #takeCopy(): void {
    const { record, payload, copy } = this.#writing ?? {}
    if (record && payload && copy) this.#takeWritten(record, payload, sequenceOf(copy))
  }

  #takeWritten(record: ChannelRecord, payload: Uint8Array, sequence: number): void {
    if (this.#writing) this.#writing.copy = undefined
    this.context.stream.remember(sequence, payload)
    this.#take({ sequence, record })
  }

  /** A record that was written, by whomever: heard, or written by us, or found while catching up. */
  #take(located: Located): void {
    const { head } = this.known
    // Sequences that begin again are those of another stream.
    if (head && located.sequence < head.sequence && located.record.time > head.record.time) this.reset()
    this.known.advance(located)
    this.#hearing?.take(located)
  }
}

/** Whether the time of its document is over. */
export const isExpired = ({ record }: Located, now: number): boolean =>
  record.document !== undefined && record.document.expiresAt <= now

/** Of what the stream has published again; 0 for anything else. */
const sequenceOf = ({ headers }: Msg): number => Number(headers?.get('Nats-Sequence') || 0)
