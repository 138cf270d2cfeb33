import { type ChannelRecord, firstOffset, type Located } from './channel-record.ts'
import { type DocumentAt, keysOf, readDocument, readKeys, readSizes, type UsedKey } from './read-channel.ts'
import type { RecordStream } from './record-stream.ts'

/** What one node knows of one channel, kept in step with the records that it gets to know. */
export class KnownChannel {
  /** The newest record that is known. */
  head: Located | undefined
  /** Whether there may be a newer one, or the channel is not known at all. */
  isStale = true
  readonly #stream: RecordStream
  readonly #idempotencyTtlMs: number
  /** Keys within the window, the oldest first; undefined until one is used here, and when a record may have been missed. */
  #keys: Map<string, UsedKey> | undefined
  /** While those before are being read: what has come since then; undefined again when a record may have been missed. */
  #newKeys: Map<string, UsedKey> | undefined
  /** Of each publication that is kept; undefined until they matter. */
  #sizes: number[] | undefined
  #document: DocumentAt | undefined
  /** Records in this idempotency window and the one before. */
  #records = { since: 0, count: 0, before: 0 }

  constructor(stream: RecordStream, idempotencyTtlMs: number) {
    this.#stream = stream
    this.#idempotencyTtlMs = idempotencyTtlMs
  }

  /** Undefined until {@link countSizes}. */
  get sizes(): readonly number[] | undefined {
    return this.#sizes
  }

  /** Records that must be kept for the keys within their window. */
  get recordsWithKeys(): number {
    // As many again may come before anybody looks.
    return this.#keys ? 2 * (this.#records.count + this.#records.before) : 0
  }

  forget(): void {
    this.head = undefined
    this.isStale = true
    this.#keys = undefined
    this.#newKeys = undefined
    this.#sizes = undefined
    this.#document = undefined
  }

  /** Takes a record that is newer than the head, and forgets what depends on those between them, if there are any. */
  advance(located: Located): void {
    const { sequence, record } = located
    const { head } = this
    if (head && sequence <= head.sequence) return
    this.#count(record.time)
    if (record.previous === (head?.sequence ?? 0)) {
      const keys = this.#keys ?? this.#newKeys
      if (keys) for (const [key, used] of keysOf(located)) keys.set(key, used)
      if (this.#sizes) this.#sizes = sizesAfter(this.#sizes, head?.record, record)
    } else {
      this.#keys = undefined
      this.#newKeys = undefined
      this.#sizes = undefined
    }
    this.head = located
  }

  /** The document at a record; undefined when it has none, and when what it is made of is gone. */
  async documentAt(at: Located): Promise<DocumentAt['value']> {
    const value = await readDocument(this.#stream, at, this.#document)
    if (value) this.#document = { sequence: at.sequence, value }
    return value
  }

  /** The document at a record is known without reading. */
  rememberDocument(document: DocumentAt): void {
    this.#document = document
  }

  /** Gets to know the keys that were used since a time, those of records that are heard meanwhile included. */
  async learnKeys(since: number): Promise<void> {
    while (!this.#keys) {
      const newKeys = new Map<string, UsedKey>()
      this.#newKeys = newKeys
      try {
        const keys = this.head ? await readKeys(this.#stream, this.head, since) : []
        if (this.#newKeys === newKeys) this.#keys = new Map([...keys, ...newKeys])
      } finally {
        this.#newKeys = undefined
      }
    }
  }

  usedKey(key: string): UsedKey | undefined {
    return this.#keys?.get(key)
  }

  dropKeys(before: number): void {
    if (!this.#keys) return
    for (const [key, { time }] of this.#keys) {
      if (time > before) break
      this.#keys.delete(key)
    }
  }

  /** Of what is kept at the head. */
  async countSizes(): Promise<readonly number[]> {
    if (this.#sizes) return this.#sizes
    const { head } = this
    const sizes = head ? await readSizes(this.#stream, head) : []
    // Those of a record that was heard meanwhile are not among them.
    if (this.head === head) this.#sizes = sizes
    return sizes
  }

  #count(time: number): void {
    const { since, count } = this.#records
    if (time - since < this.#idempotencyTtlMs) this.#records.count++
    else this.#records = { since: time, count: 1, before: since === 0 ? 0 : count }
  }
}

/** What is kept after a record that follows another one. */
const sizesAfter = (before: readonly number[], previous: ChannelRecord | undefined, record: ChannelRecord): number[] => {
  const { from } = record.kept
  const isSame = previous?.epoch === record.epoch
  const oldest = isSame && previous.kept.from <= previous.offset ? previous.kept.from : firstOffset(record)
  const sizes = [...(isSame ? before : []), ...record.publications.map(({ bytes }) => bytes)]
  return sizes.slice(Math.max(0, from - oldest))
}
