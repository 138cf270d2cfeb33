import { realpath } from 'node:fs/promises'
import type {
  Announcement,
  Awaitable,
  Broker,
  BrokerListener,
  ChannelState,
  Environment,
  HistoryPage,
  HistoryQuery,
  Log,
  MemoryBroker,
  PublicationDraft,
  Published,
  PublishOptions,
} from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { FileLock, LOCK_TOUCH_MS } from './file-lock.ts'
import { markUnclean, readSnapshot, writeSnapshot } from './snapshot-file.ts'
import { explainSnapshot } from './snapshot-problem.ts'

export interface SnapshotOptions {
  readonly file: string
  /** How often what has changed is written, in milliseconds. */
  readonly intervalMs: number
}

/** What became of the snapshots of this process. */
export interface SnapshotStats {
  readonly written: number
  readonly failed: number
  /** Of the last one that was written. */
  readonly bytes: number
  /** When that was, in milliseconds since 1970; 0 before the first. */
  readonly writtenAt: number
}

/**
 * A memory broker that outlives its process in a file.
 *
 *     new ──start()──▶ open ──close()──▶ closing ──▶ closed
 *
 * While it is `open` the file is marked as unclean, for what is published after the last snapshot is not in it: whoever finds it so gives
 * every channel another epoch. `closing` takes no more publications, so that the last snapshot has them all and may be marked as clean.
 */
export class SnapshotBroker implements Broker {
  readonly #memory: MemoryBroker
  readonly #environment: Environment
  readonly #intervalMs: number
  readonly #log: Log
  readonly #stats = { written: 0, failed: 0, bytes: 0, writtenAt: 0 }
  #file: string
  #lock: FileLock | undefined
  #state: 'new' | 'open' | 'closing' | 'closed' = 'new'
  /** Of the memory broker, when the last snapshot was begun. */
  #revision = -1
  #nextAt = 0
  #touchAt = 0
  #writing: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(memory: MemoryBroker, environment: Environment, log: Log, { file, intervalMs }: SnapshotOptions) {
    this.#memory = memory
    this.#environment = environment
    this.#log = log
    this.#file = file
    this.#intervalMs = intervalMs
  }

  get stats(): SnapshotStats {
    return this.#stats
  }

  /**
   * Takes over what the file has.
   * @throws ConfigurationError when the file cannot be used: what it holds is never lost by starting without it.
   */
  async start(listener: BrokerListener): Promise<void> {
    try {
      // A link goes on pointing to the file that is written.
      this.#file = await realpath(this.#file).catch(() => this.#file)
      this.#lock = await FileLock.acquire(`${this.#file}.lock`)
      await this.#restore()
      this.#memory.start(listener)
      this.#state = 'open'
      this.#revision = this.#memory.revision
      this.#nextAt = this.#environment.now() + this.#intervalMs
    } catch (error) {
      await this.#lock?.release()
      throw explainSnapshot(this.#file, error)
    }
  }

  publish(channel: string, draft: PublicationDraft, options: PublishOptions): Published {
    this.#assertOpen()
    return this.#memory.publish(channel, draft, options)
  }

  subscribe(channel: string): void {
    this.#memory.subscribe(channel)
  }

  unsubscribe(channel: string): void {
    this.#memory.unsubscribe(channel)
  }

  announce(message: Announcement): void {
    this.#memory.announce(message)
  }

  history(channel: string, query: HistoryQuery): HistoryPage {
    return this.#memory.history(channel, query)
  }

  state(channel: string): ChannelState {
    return this.#memory.state(channel)
  }

  clearHistory(channel: string): void {
    this.#assertOpen()
    this.#memory.clearHistory(channel)
  }

  removeDocument(channel: string): boolean {
    this.#assertOpen()
    return this.#memory.removeDocument(channel)
  }

  /** Forgets what has expired, and writes a snapshot when it is time to. To be called about once a second. */
  sweep(): void {
    if (this.#state !== 'open') return
    this.#memory.sweep()
    const now = this.#environment.now()
    if (now >= this.#touchAt) {
      this.#touchAt = now + LOCK_TOUCH_MS / 2
      void this.#lock?.touch()
    }
    if (now < this.#nextAt || this.#writing || this.#memory.revision === this.#revision) return
    this.#nextAt = now + this.#intervalMs
    this.#writing = this.#write(false).finally(() => {
      this.#writing = undefined
    })
  }

  /** Idempotent: whoever calls it waits for the same end. */
  close(): Awaitable<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  #assertOpen(): void {
    if (this.#state === 'closing' || this.#state === 'closed')
      throw new FusewireError('broker_unavailable', 'this node is leaving, and its last snapshot is being written')
  }

  async #restore(): Promise<void> {
    const snapshot = await readSnapshot(this.#file)
    if (!snapshot) {
      // Finds out now, and not in some seconds, that the file cannot be written.
      await this.#replace(false)
      return
    }
    await this.#memory.restore(snapshot.records, { continues: snapshot.isClean })
    if (snapshot.isClean) await markUnclean(this.#file)
    const { streams, idempotencyKeys } = this.#memory.size
    this.#log('snapshot_restored', { file: this.#file, clean: snapshot.isClean, channels: streams, idempotencyKeys })
  }

  /** Never rejects: a snapshot that fails is told, and the next one tries again. */
  async #write(isClean: boolean): Promise<void> {
    const { revision } = this.#memory
    try {
      this.#stats.bytes = await this.#replace(isClean)
      this.#stats.written++
      this.#stats.writtenAt = this.#environment.now()
      this.#revision = revision
    } catch (error) {
      this.#stats.failed++
      this.#log('snapshot_failed', { file: this.#file, error })
    }
  }

  /** This process may have stood still for so long that another one has the file, before it writes or while it does. */
  async #replace(isClean: boolean): Promise<number> {
    const mayReplace = async (): Promise<void> => this.#lock?.assertHeld()
    await mayReplace()
    return writeSnapshot(this.#file, this.#memory.dump(), { isClean, mayReplace })
  }

  async #end(): Promise<void> {
    const wasOpen = this.#state === 'open'
    this.#state = 'closing'
    try {
      await this.#writing
      if (wasOpen) await this.#write(true)
    } finally {
      this.#memory.close()
      this.#state = 'closed'
      await this.#lock?.release()
    }
  }
}
