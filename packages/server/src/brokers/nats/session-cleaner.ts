import type { Lanes } from '@fusewire/engine'
import type { KvBucket } from './kv-bucket.ts'
import type { ServerClock } from './server-clock.ts'
import { type IndexedSession, isAlive } from './session-entry.ts'
import type { SessionIndex } from './session-index.ts'
import type { SessionKeys } from './session-keys.ts'

/** How long others leave a marker to the node that has written it, in milliseconds. */
const OTHERS_MARKER_MS = 60_000
/** Markers that are removed in one go. */
const CLEANED_AT_ONCE = 500

/** Leaves nothing in the bucket that is over: sessions that this node keeps without refreshing them, and what is left of ended ones. */
export class SessionCleaner {
  readonly #bucket: KvBucket
  readonly #clock: ServerClock
  readonly #index: SessionIndex
  readonly #sessions: SessionKeys
  readonly #lanes: Lanes

  /** `lanes` are those in which everything is done that changes a session. */
  constructor(bucket: KvBucket, clock: ServerClock, index: SessionIndex, sessions: SessionKeys, lanes: Lanes) {
    this.#bucket = bucket
    this.#clock = clock
    this.#index = index
    this.#sessions = sessions
    this.#lanes = lanes
  }

  /** Rejects when the bucket does; the next call takes up what is left. */
  async clean(): Promise<void> {
    await this.#releaseOver()
    await this.#eraseMarkers()
  }

  /** Sessions that this node does not refresh any more, and that its lease would keep, get the end that they have come to. */
  async #releaseOver(): Promise<void> {
    const now = this.#clock.now()
    const over = [...this.#index.leased].filter(({ until }) => until <= now)
    await Promise.all(over.map(({ id }) => this.#lanes.run(id, () => this.#release(id))))
  }

  async #release(id: string): Promise<void> {
    for (;;) {
      const until = this.#index.get(id)?.until ?? 0
      if (until > this.#clock.now()) return
      const read = await this.#sessions.read(id)
      if (!read || !this.#index.isOwn(read.session) || !read.session.isLeased) return
      const { session, value } = read
      if (await this.#sessions.write(session, value, { ...session, end: until, isLeased: false })) return
    }
  }

  /** Removes the markers and traces whose time is over. */
  async #eraseMarkers(): Promise<void> {
    const now = this.#clock.now()
    const over: IndexedSession[] = []
    for (const session of this.#index.due(now)) {
      if (isAlive(session)) continue
      const isOthers = !this.#index.isOfThisNode(session)
      if (isOthers && session.end + OTHERS_MARKER_MS > now) this.#index.postpone(session, session.end + OTHERS_MARKER_MS)
      // Its node is there, and has removed it.
      else if (isOthers && this.#index.lease(session.owner) > now) this.#index.forget(session.id)
      else over.push(session)
      if (over.length >= CLEANED_AT_ONCE) break
    }
    await Promise.all(
      over.map(async (session) => {
        await this.#bucket.erase(session.revision)
        if (this.#index.get(session.id) === session) this.#index.forget(session.id)
      }),
    )
  }
}
