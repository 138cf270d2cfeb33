import type { SessionRecord } from '@fusewire/engine'
import { type KvBucket, type KvEntry, RevisionConflict } from './kv-bucket.ts'
import { kvName, kvToken } from './kv-key.ts'
import type { ServerClock } from './server-clock.ts'
import { type IndexedSession, readSessionMeta, type SessionMeta, writeSessionMeta } from './session-entry.ts'
import type { SessionIndex } from './session-index.ts'

/** A session with its record, as it was read. */
export interface ReadSession {
  readonly session: IndexedSession
  readonly value: Uint8Array
}

const SESSION = 's.'
const DECODER = new TextDecoder()

/** The key of each session in the bucket, and the index that learns what is read, written and heard of it. */
export class SessionKeys {
  readonly #bucket: KvBucket
  readonly #clock: ServerClock
  readonly #index: SessionIndex

  constructor(bucket: KvBucket, clock: ServerClock, index: SessionIndex) {
    this.#bucket = bucket
    this.#clock = clock
    this.#index = index
  }

  /** As it is now. Undefined when there is nothing at its key. */
  async read(id: string): Promise<ReadSession | undefined> {
    const entry = await this.#bucket.get(SESSION + kvToken(id))
    const meta = entry && readSessionMeta(entry.meta)
    if (!entry || !meta) {
      this.#index.forget(id)
      return undefined
    }
    return { session: this.#index.apply(id, entry.revision, entry.time, meta), value: entry.value }
  }

  /** False when it has another revision than `before` by now, and nothing was written. */
  async write(before: Pick<IndexedSession, 'id' | 'revision'>, value: Uint8Array, meta: SessionMeta): Promise<boolean> {
    try {
      const { id } = before
      const revision = await this.#bucket.put(SESSION + kvToken(id), writeSessionMeta(meta), value, before.revision)
      this.#index.apply(id, revision, this.#clock.now(), meta)
      return true
    } catch (error) {
      if (error instanceof RevisionConflict) return false
      throw error
    }
  }

  /** What another node, or this one, has written; other keys than those of sessions are passed over. */
  heard({ key, revision, time, meta }: KvEntry): void {
    const session = readSessionMeta(meta)
    if (session && key.startsWith(SESSION)) this.#index.apply(kvName(key.slice(SESSION.length)), revision, time, session)
  }
}

export const recordOf = (value: Uint8Array): SessionRecord => JSON.parse(DECODER.decode(value)) as SessionRecord
