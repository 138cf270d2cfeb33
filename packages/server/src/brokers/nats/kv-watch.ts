import { createInbox, type Msg } from '@nats-io/transport-node'
import { type KvBucket, type KvEntry, metaHeader } from './kv-bucket.ts'
import { unavailable } from './nats-error.ts'
import type { NatsLink } from './nats-link.ts'
import type { NatsSession } from './nats-session.ts'
import type { ServerClock } from './server-clock.ts'
import { askJetStream } from './stream-api.ts'

export interface KvWatchListener {
  /** Everything is told from here on once more; what is not told before `ready` is there no more. */
  begin(): void
  entry(entry: KvEntry): void
  ready(): void
}

export interface KvWatchOptions {
  /** Which keys: one of them, or those below a token (`token.>`). */
  readonly filter: string
  /** A key among those that are watched which only this watch writes: by it, it knows how far it has got. */
  readonly mark: string
  /** What that key says. */
  readonly markMeta: () => string
  /** Whether values are wanted. */
  readonly values: boolean
}

/** One consumer of the server, from its beginning until something of it was missed. */
interface Run {
  readonly session: NatsSession
  stop: () => void
  /** Of the consumer, the next message. */
  next: number
  /** Revision of the last entry that was told. */
  revision: number
  heardAt: number
  /** Everything has been told that was written before this moment, and the bucket took a mark after it; nothing was refused since. */
  syncedAt: number
  isReady: boolean
}

interface Waiter {
  readonly revision: number
  readonly resolve: () => void
}

const HEARTBEAT_MS = 2000
const SILENCE_MS = 3 * HEARTBEAT_MS
const LOOK_MS = 1000
const STATUS = 100

/**
 * Hears of every change in a part of a bucket, in the order of revisions. Whenever something may have been missed (a new connection, a
 * gap, silence, a bucket that was made anew) it begins from the beginning, rather than trust that the bucket still is what it was: a
 * server that was killed may have lost its newest entries and give their revisions again.
 */
export class KvWatch {
  readonly #link: NatsLink
  readonly #bucket: KvBucket
  readonly #clock: ServerClock
  readonly #options: KvWatchOptions
  readonly #listener: KvWatchListener
  readonly #waiters = new Set<Waiter>()
  readonly #stopHearing: () => void
  #run: Run | undefined
  #loading: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  /** The newest mark, and when this node has written it. */
  #sent = { revision: 0, sentAt: 0, answeredAt: 0 }

  constructor(link: NatsLink, bucket: KvBucket, clock: ServerClock, options: KvWatchOptions, listener: KvWatchListener) {
    this.#link = link
    this.#bucket = bucket
    this.#clock = clock
    this.#options = options
    this.#listener = listener
    this.#stopHearing = bucket.onLost(() => this.restart())
    link.use({ back: () => this.restart(), away: () => this.restart() })
  }

  /** Answers once everything that was there has been told. */
  start(): Promise<void> {
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
    return this.#ready()
  }

  /** Whether {@link sync} has been answered within so many milliseconds, and not refused since. */
  wasSynced(ms: number): boolean {
    const run = this.#run
    return run?.isReady === true && performance.now() - run.syncedAt <= ms
  }

  /** Writes the mark, and answers once everything that was written before it, by whomever, has been told. */
  async sync(): Promise<void> {
    // What begins now reads everything that was written before.
    if (!this.#loading) return this.start()
    await this.#loading
    const floor = this.#run?.revision ?? 0
    const began = performance.now()
    let syncedAt = Number.NEGATIVE_INFINITY
    try {
      const revision = await this.#writeMark()
      // The bucket begins anew.
      if (revision <= floor) this.restart()
      await this.#until(revision)
      syncedAt = began
    } finally {
      if (this.#run) this.#run.syncedAt = syncedAt
    }
  }

  /** Begins from the beginning: what was told may not be true any more. */
  restart(): void {
    this.#drop()
    this.#loading = undefined
    if (this.#isClosed || !this.#timer || !this.#link.isUp) return
    this.#ready().catch(() => undefined)
  }

  close(): void {
    this.#isClosed = true
    this.#stopHearing()
    clearInterval(this.#timer)
    this.#drop()
    for (const { resolve } of this.#waiters) resolve()
    if (this.#sent.revision > 0 && this.#link.isUp) this.#bucket.erase(this.#sent.revision).catch(() => undefined)
  }

  #ready(): Promise<void> {
    if (this.#isClosed) return Promise.reject(unavailable('the store has been closed'))
    if (this.#loading) return this.#loading
    const loading = this.#load()
    this.#loading = loading
    loading.catch(() => {
      if (this.#loading === loading) this.#loading = undefined
    })
    return loading
  }

  async #load(): Promise<void> {
    const session = this.#link.session()
    this.#drop()
    this.#listener.begin()
    const inbox = createInbox()
    const now = performance.now()
    const run: Run = {
      session,
      stop: () => undefined,
      next: 1,
      revision: 0,
      heardAt: now,
      syncedAt: now,
      isReady: false,
    }
    this.#run = run
    const revision = await this.#writeMark()
    if (this.#run !== run) throw unavailable('the connection to NATS was lost')
    run.stop = session.subscribe(inbox, (message) => this.#heard(run, message))
    const consumer = {
      deliver_subject: inbox,
      deliver_policy: 'last_per_subject',
      ack_policy: 'none',
      max_deliver: 1,
      filter_subject: this.#bucket.subject(this.#options.filter),
      headers_only: !this.#options.values,
      flow_control: true,
      idle_heartbeat: HEARTBEAT_MS * 1_000_000,
      mem_storage: true,
      num_replicas: 1,
    }
    const stream = this.#bucket.stream
    try {
      const { name } = (await askJetStream(session, `CONSUMER.CREATE.${stream}`, { stream_name: stream, config: consumer })) as {
        readonly name: string
      }
      const stop = run.stop
      run.stop = () => {
        stop()
        if (session.isOpen) askJetStream(session, `CONSUMER.DELETE.${stream}.${name}`).catch(() => undefined)
      }
      if (this.#run !== run) run.stop()
    } catch (error) {
      run.stop()
      throw unavailable(`the bucket ${this.#bucket.name} cannot be watched`, error)
    }
    await this.#until(revision, run)
    run.isReady = true
    this.#listener.ready()
  }

  async #writeMark(): Promise<number> {
    const sentAt = this.#clock.local
    const revision = await this.#bucket.put(this.#options.mark, this.#options.markMeta())
    this.#sent = { revision, sentAt, answeredAt: this.#clock.local }
    return revision
  }
  /** Until this revision has been told; of another run than this one, until that has told everything. */
  async #until(revision: number, loading?: Run): Promise<void> {
    const run = this.#run
    if (!loading && !run?.isReady) return this.#ready()
    if (run && run.revision >= revision) return
    let timer: NodeJS.Timeout | undefined
    const waiter = await new Promise<'told' | 'late'>((resolve) => {
      const entry: Waiter = { revision, resolve: () => resolve('told') }
      timer = setTimeout(() => {
        this.#waiters.delete(entry)
        resolve('late')
      }, this.#link.timeoutMs)
      this.#waiters.add(entry)
    })
    clearTimeout(timer)
    if (this.#isClosed) throw unavailable('the store has been closed')
    if (waiter === 'late') {
      if (this.#run === run) this.restart()
      throw unavailable(`the bucket ${this.#bucket.name} does not tell what is in it`)
    }
    if (this.#run === run) return
    if (loading) throw unavailable('the connection to NATS was lost')
    await this.#ready()
  }

  #heard(run: Run, message: Msg): void {
    if (this.#run !== run) return
    run.heardAt = performance.now()
    if (message.headers?.code === STATUS) {
      this.#answerStatus(run, message)
      return
    }
    const place = placeOf(message.reply ?? '')
    if (place.next !== run.next) {
      this.restart()
      return
    }
    run.next++
    run.revision = place.revision
    const { revision, time } = place
    const key = this.#bucket.key(message.subject)
    const { sentAt, answeredAt } = this.#sent
    if (key === this.#options.mark && revision === this.#sent.revision) this.#clock.observe(sentAt, answeredAt, time)
    this.#listener.entry({ key, revision, time, meta: metaHeader(message.headers), value: message.data })
    for (const waiter of this.#waiters)
      if (waiter.revision <= revision) {
        this.#waiters.delete(waiter)
        waiter.resolve()
      }
  }

  /** Idle heartbeats need no answer; flow control does, asked for by itself or from within a heartbeat. */
  #answerStatus({ session }: Run, message: Msg): void {
    const reply = message.reply || message.headers?.get('Nats-Consumer-Stalled')
    if (reply && session.isOpen) session.publish(reply, new Uint8Array())
  }

  #look(): void {
    if (!this.#link.isUp) return
    const run = this.#run
    if (!run) {
      this.#ready().catch(() => undefined)
      return
    }
    if (run.isReady && (performance.now() - run.heardAt > SILENCE_MS || run.session !== this.#link.session())) this.restart()
  }

  #drop(): void {
    const run = this.#run
    this.#run = undefined
    if (run?.session.isOpen) run.stop()
    // They find another run, or none.
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }
}

/** `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>`; newer: domain and account before the stream. */
const placeOf = (reply: string): { readonly revision: number; readonly next: number; readonly time: number } => {
  const tokens = reply.split('.')
  const first = tokens.length > 9 ? 7 : 5
  return {
    revision: Number(tokens[first]),
    next: Number(tokens[first + 1]),
    time: Number(tokens[first + 2]) / 1_000_000,
  }
}
