import type {
  Announcement,
  Broker,
  BrokerListener,
  ChannelState,
  Environment,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishOptions,
} from '@fusewire/engine'
import type { Msg } from '@nats-io/transport-node'
import { fromJsonValue, toJsonValue } from '../snapshot-values.ts'
import type { Channel } from './channel.ts'
import type { ChannelContext, ChannelLog } from './channel-log.ts'
import { Channels } from './channels.ts'
import { unavailable } from './nats-error.ts'
import type { NatsLink } from './nats-link.ts'
import { RecordStream } from './record-stream.ts'
import { TurnEnd } from './turn-end.ts'

const DECODER = new TextDecoder()

/** Channels that nobody is interested in, of which something is remembered. */
const MAX_IDLE_CHANNELS = 10_000

/** A name that no channel can have. */
const NO_CHANNEL = '\0'

export interface NatsBrokerOptions {
  /** First part of the stream's name and of all subjects. */
  readonly prefix: string
  /** Servers that keep each message. */
  readonly replicas: number
  /** How long an idempotency key is remembered, in milliseconds. */
  readonly idempotencyTtlMs: number
}

/**
 * A broker on a stream of NATS JetStream, with one subject for each channel.
 *
 * A message of the stream is a {@link ChannelRecord}: what one node has done to a channel in one step, often several publications that
 * have waited for each other. It is written only behind the record that its node knows as the newest
 * (`Nats-Expected-Last-Subject-Sequence`); whoever is too late reads what has come in between, and works it out again. That is what makes
 * offsets without a gap, positions that are compared, keys and documents one step, though JetStream knows nothing of them. A record that
 * was not answered is sent again, and found by its id when it had arrived. Nodes hear what is written because the stream publishes it
 * again once it is kept (`republish`), and know by the sequence of the record before whether they have missed one.
 *
 * `time` is the clock of the node that writes, never before that of the record before: it is part of the record, so that whoever reads it
 * reads the same, and what is written can depend on it.
 */
export class NatsBroker implements Broker {
  readonly #link: NatsLink
  readonly #environment: Environment
  readonly #options: NatsBrokerOptions
  readonly #stream: RecordStream
  readonly #channels = new Channels(MAX_IDLE_CHANNELS)
  #context: ChannelContext | undefined
  #isClosed = false

  constructor(link: NatsLink, environment: Environment, options: NatsBrokerOptions) {
    this.#link = link
    this.#environment = environment
    this.#options = options
    this.#stream = new RecordStream(link, {
      ...options,
      onReset: () => this.#reset(),
    })
    link.use({
      prepare: (session) => this.#stream.ensure(session),
      back: () => this.#interrupt(),
    })
  }

  async start(listener: BrokerListener): Promise<void> {
    const life = this.#environment.id()
    let records = 0
    this.#context = {
      stream: this.#stream,
      environment: this.#environment,
      listener,
      idempotencyTtlMs: this.#options.idempotencyTtlMs,
      timeoutMs: this.#link.timeoutMs,
      turnEnd: new TurnEnd(),
      recordId: () => `${life}.${(++records).toString(36)}`,
      listen: (log) => this.#link.listen(this.#stream.heardAt(log.name), (message) => this.#heard(log, message)),
    }
    // A leader may have gone between keeping a record and publishing it again.
    this.#link.listen(this.#stream.leaderSubject, () => this.#interrupt())
    await this.#link.open()
  }

  async publish(channel: string, draft: PublicationDraft, options: PublishOptions): Promise<Published> {
    return this.#channel(channel).publish(draft, options)
  }

  async subscribe(channel: string): Promise<void> {
    await this.#channel(channel).subscribe()
  }

  async unsubscribe(channel: string): Promise<void> {
    await this.#channels.get(channel)?.unsubscribe()
  }

  async announce(message: Announcement): Promise<void> {
    const subject = this.#stream.heardAt(message.channel)
    const payload = JSON.stringify(toJsonValue(message))
    await this.#channel(message.channel).inTurn(() => this.#link.session().publish(subject, payload))
  }

  async history(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    return this.#channel(channel).history(query)
  }

  async state(channel: string): Promise<ChannelState> {
    return this.#channel(channel).state()
  }

  async clearHistory(channel: string): Promise<void> {
    await this.#channel(channel).clearHistory()
  }

  async removeDocument(channel: string): Promise<boolean> {
    return this.#channel(channel).removeDocument()
  }

  /** Rejects with `broker_unavailable` when nobody leads the stream for as long as a publication would wait. */
  async askLeader(): Promise<void> {
    await this.#stream.newest(NO_CHANNEL)
  }

  /** Ends documents whose time is over, and forgets what has expired and channels that nobody needs. To be called about once a second. */
  sweep(): void {
    if (!this.#link.isUp) return
    const now = this.#environment.now()
    const oldest = now - this.#stream.maxAgeMs / 2
    for (const channel of this.#channels.all()) channel.tend(now, oldest)
    this.#channels.trim()
  }

  close(): void {
    this.#isClosed = true
    this.#link.close()
    this.#channels.clear()
  }

  #channel(name: string): Channel {
    if (!this.#context || this.#isClosed) throw unavailable('the broker is not open')
    this.#link.session()
    return this.#channels.of(name, this.#context)
  }

  #heard(log: ChannelLog, message: Msg): void {
    if (!log.hear(message)) this.#announced(message.data)
  }

  #announced(data: Uint8Array): void {
    let announcement: Announcement
    try {
      announcement = fromJsonValue(JSON.parse(DECODER.decode(data))) as Announcement
    } catch {
      // Somebody else has published here.
      return
    }
    this.#context?.listener.announcement(announcement)
  }

  #interrupt(): void {
    for (const channel of this.#channels.all()) channel.log.interrupt()
  }

  #reset(): void {
    for (const channel of this.#channels.all()) channel.log.reset()
  }
}
