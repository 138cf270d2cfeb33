import type { Http2Session } from 'node:http2'
import type { Batch } from './batch.ts'
import type { Flushable, FlushQueue, FlushScheduler } from './flush-scheduler.ts'

/**
 * Streams that are written before the event loop turns. Node sends what streams have been given only in the next turn, and touches all
 * of each stream again then: with a thousand streams at once nothing of them is in the processor's cache any more, and a delivery costs
 * three times as much.
 */
const STREAMS_A_TURN = 64

/** Within so many turns everything is flushed, so that what comes in meanwhile does not pile up. */
const MOST_TURNS = 32

/** Flushes streams of HTTP/2 connection by connection, a few in each turn, so that each connection sends all of its streams in one write. */
export class StreamScheduler implements Flushable {
  readonly #scheduler: FlushScheduler
  readonly #queues = new WeakMap<Http2Session, FlushQueue>()
  /** Those with something to write; the scheduler knows of this object unless there is none. */
  readonly #waiting: SessionQueue[] = []
  /** Since everything was flushed. */
  #turns = 0

  constructor(scheduler: FlushScheduler) {
    this.#scheduler = scheduler
  }

  /** For all streams of this connection; what comes over none of HTTP/2 waits with everything else. */
  queueOf(session: Http2Session | undefined): FlushQueue {
    if (!session) return this.#scheduler
    let queue = this.#queues.get(session)
    if (!queue) {
      queue = new SessionQueue(this)
      this.#queues.set(session, queue)
    }
    return queue
  }

  get start(): Batch {
    return this.#scheduler.start
  }

  add(queue: SessionQueue): void {
    if (this.#waiting.push(queue) === 1) this.#scheduler.add(this)
  }

  flush(): void {
    const most = ++this.#turns < MOST_TURNS ? STREAMS_A_TURN : Number.POSITIVE_INFINITY
    let sessions = 0
    for (let streams = 0; streams < most; sessions++) {
      const queue = this.#waiting[sessions]
      if (!queue) break
      streams += queue.flush()
    }
    this.#waiting.splice(0, sessions)
    if (this.#waiting.length > 0) this.#scheduler.add(this)
    else this.#turns = 0
  }
}

/** The streams of one connection that have something to write. */
class SessionQueue implements FlushQueue {
  readonly #scheduler: StreamScheduler
  #waiting: Flushable[] = []

  constructor(scheduler: StreamScheduler) {
    this.#scheduler = scheduler
  }

  get start(): Batch {
    return this.#scheduler.start
  }

  add(stream: Flushable): void {
    if (this.#waiting.push(stream) === 1) this.#scheduler.add(this)
  }

  /** Returns how many streams it has flushed. */
  flush(): number {
    const waiting = this.#waiting
    this.#waiting = []
    for (const stream of waiting) stream.flush()
    return waiting.length
  }
}
