import type { ChannelState, HistoryPage, HistoryQuery, PublicationDraft, Published, PublishOptions } from '@fusewire/engine'
import { jsonSize } from '@fusewire/protocol'
import { type ChannelContext, ChannelLog, isExpired } from './channel-log.ts'
import type { Located } from './channel-record.ts'
import { commit, type WaitingPublish } from './commit.ts'
import { unavailable } from './nats-error.ts'
import { readHistory } from './read-channel.ts'
import { WorkQueue } from './work-queue.ts'

/** Publications in one record at most. */
const MAX_BATCH = 512

/** What one node does to one channel, in the order in which it is asked to. */
export class Channel {
  readonly log: ChannelLog
  /** Number of its last use among the uses of all channels. */
  lastUse = 0
  readonly #queue: WorkQueue<WaitingPublish>

  constructor(name: string, context: ChannelContext) {
    const log = new ChannelLog(name, context)
    this.log = log
    this.#queue = new WorkQueue((requests) => commit(log, requests), { maxBatch: MAX_BATCH, turnEnd: context.turnEnd })
  }

  get isIdle(): boolean {
    return this.#queue.isIdle && !this.log.isHeard
  }

  publish(draft: PublicationDraft, options: PublishOptions): Promise<Published> {
    return new Promise((resolve, reject) => {
      const request = { draft, draftBytes: jsonSize(draft), options, deadline: this.log.deadline, resolve, reject }
      this.#queue.add({ kind: 'publish', request })
    })
  }

  history(query: HistoryQuery): Promise<HistoryPage> {
    const { stream, environment } = this.log.context
    return this.#read((head) => readHistory(stream, head, query, environment.now()))
  }

  state(): Promise<ChannelState> {
    const { log } = this
    return this.#read(async (head) => {
      const { epoch, offset, document } = head.record
      const position = { epoch, offset }
      if (!document) return { position }
      const found = await log.known.documentAt(head)
      if (found) return { position, document: found.value, time: document.time }
      await log.renew((newest) => newest?.sequence === head.sequence, log.deadline)
      return { position: positionOf(log.known.head) }
    })
  }

  subscribe(): Promise<void> {
    return this.#task(() => this.log.listen())
  }

  unsubscribe(): Promise<void> {
    return this.inTurn(() => this.log.stopListening())
  }

  /** Does something else in its turn. */
  inTurn(run: () => void): Promise<void> {
    return this.#task(async () => run())
  }

  clearHistory(): Promise<void> {
    const { log } = this
    return this.#task(async () => {
      await log.catchUp()
      await log.settle(log.deadline)
      await log.mark({ clear: true }, (head) => head !== undefined && head.record.kept.from <= head.record.offset)
    })
  }

  removeDocument(): Promise<boolean> {
    const { log } = this
    return this.#task(async () => {
      const { deadline } = log
      await log.catchUp()
      await log.settle(deadline)
      if (!log.known.head?.record.document) return false
      await log.renew((head) => head?.record.document !== undefined, deadline)
      return true
    })
  }

  /**
   * Does what is to be done though nobody asks for it: ends the document when its time is over, and writes the newest record again when
   * it is older than `oldest`, so that the stream does not forget a channel that somebody is interested in.
   */
  tend(now: number, oldest: number): void {
    const { log } = this
    log.known.dropKeys(now - log.context.idempotencyTtlMs)
    const { head } = log.known
    if (!head || !log.isHeard) return
    const isOld = (newest: Located | undefined): boolean => newest !== undefined && newest.record.time < oldest
    if (!isExpired(head, now) && !isOld(head)) return
    this.#task(async () => {
      await log.settle(log.deadline)
      await log.mark({ clear: false }, isOld)
    }).catch(() => undefined)
  }

  #task<T>(run: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#queue.add({ kind: 'task', run: () => run().then(resolve, reject) })
    })
  }

  #read<T>(read: (head: Located) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = async (): Promise<T> => read(await this.log.newest())
      this.#queue.add({ kind: 'read', run: () => run().then(resolve, reject) })
    })
  }
}

const positionOf = (head: Located | undefined): ChannelState['position'] => {
  if (!head) throw unavailable('NATS has not kept the beginning of the channel')
  return { epoch: head.record.epoch, offset: head.record.offset }
}
