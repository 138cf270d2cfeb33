import type { KvBucket } from './kv-bucket.ts'
import { KvWatch } from './kv-watch.ts'
import type { NatsLink } from './nats-link.ts'
import { type PresenceEntry, readPresence } from './presence-entry.ts'
import type { ServerClock } from './server-clock.ts'

/**
 * The members of one channel, followed for as long as somebody asks for them now and then. Each question is answered from memory once
 * everything has been heard that was written before it; questions that come together wait together.
 */
export class PresenceView {
  readonly #watch: KvWatch
  #members = new Map<string, PresenceEntry>()
  /** What has been told of a reading that is not done. */
  #reading: Map<string, PresenceEntry> | undefined
  #running: Promise<void> | undefined
  #queued: Promise<void> | undefined
  /** `performance.now()` of the last question. */
  usedAt = performance.now()

  /** `node` and `channel` are tokens. */
  constructor(link: NatsLink, bucket: KvBucket, clock: ServerClock, { node, channel }: { node: string; channel: string }) {
    this.#watch = new KvWatch(
      link,
      bucket,
      clock,
      { filter: `${channel}.*`, mark: `${channel}.=b${node}`, markMeta: () => 'look', values: true },
      {
        begin: () => {
          this.#reading = new Map()
        },
        entry: (entry) => {
          const members = this.#reading ?? this.#members
          const member = readPresence(entry)
          if (member) members.set(entry.key, member)
          else members.delete(entry.key)
        },
        ready: () => {
          this.#members = this.#reading ?? this.#members
          this.#reading = undefined
        },
      },
    )
  }

  /** All who have not left, those whose node may be gone among them. */
  async members(): Promise<readonly PresenceEntry[]> {
    this.usedAt = performance.now()
    this.#queued ??= this.#next()
    await this.#queued
    return [...this.#members.values()]
  }

  /** Whether somebody waits for an answer. */
  get isAsked(): boolean {
    return (this.#running ?? this.#queued) !== undefined
  }

  restart(): void {
    this.#watch.restart()
  }

  close(): void {
    this.#watch.close()
  }

  /** What is under way may have begun before something that this question has to know. */
  async #next(): Promise<void> {
    await this.#running?.catch(() => undefined)
    this.#queued = undefined
    const running = this.#watch.sync()
    this.#running = running
    try {
      await running
    } finally {
      if (this.#running === running) this.#running = undefined
    }
  }
}
