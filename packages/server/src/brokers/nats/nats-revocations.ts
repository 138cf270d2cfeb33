import { createHash } from 'node:crypto'
import {
  type Environment,
  Lanes,
  MemoryRevocations,
  type Revocation,
  type RevocationListener,
  type Revocations,
  type TokenMark,
} from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { DueHeap } from './due-heap.ts'
import { type KvBucket, type KvEntry, RevisionConflict } from './kv-bucket.ts'
import { kvToken } from './kv-key.ts'
import { KvWatch } from './kv-watch.ts'
import type { NatsLink } from './nats-link.ts'
import { RepeatedWork } from './repeated-work.ts'
import type { ServerClock } from './server-clock.ts'

export interface NatsRevocationsOptions {
  readonly node: string
  /** Revocations in force at a time. Default 100,000. */
  readonly maxRevocations?: number
}

/** What a key holds. */
interface Kept {
  readonly revocation: Revocation
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
}

/** A revocation that this node has heard of. */
interface Known extends Kept {
  readonly revision: number
  readonly reading: number
}

const NODE = 'n.'
/** Nodes remove what has ended at different moments within this time, in milliseconds. */
const SPREAD_MS = 60_000
const CLEANED_AT_ONCE = 200
/** Longer names are keys by their hash. */
const MAX_TOKEN = 200
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/** Revocations in a bucket of NATS that every node follows, so that it answers from memory. */
export class NatsRevocations implements Revocations {
  readonly #bucket: KvBucket
  readonly #environment: Environment
  readonly #maxRevocations: number
  readonly #memory: MemoryRevocations
  readonly #watch: KvWatch
  readonly #link: NatsLink
  readonly #lanes = new Lanes()
  readonly #known = new Map<string, Known>()
  readonly #ends = new DueHeap<{ readonly key: string; readonly revision: number; dueAt: number }>()
  /** Keys that this node is writing, and what it has heard of them meanwhile. */
  readonly #revoking = new Map<string, KvEntry | undefined>()
  #listener: RevocationListener | undefined
  /** Undefined until everything is known that was there before. */
  #tell: ((revocation: Revocation) => void) | undefined
  #reading = 0
  readonly #cleaning = new RepeatedWork(() => this.#clean())

  constructor(link: NatsLink, bucket: KvBucket, clock: ServerClock, environment: Environment, options: NatsRevocationsOptions) {
    const { node, maxRevocations = 100_000 } = options
    this.#link = link
    this.#bucket = bucket
    this.#environment = environment
    this.#maxRevocations = maxRevocations
    // What other nodes have revoked holds here too, however much it is.
    this.#memory = new MemoryRevocations(environment, { maxRevocations: Number.POSITIVE_INFINITY })
    this.#watch = new KvWatch(
      link,
      bucket,
      clock,
      { filter: '>', mark: NODE + kvToken(node), markMeta: () => 'look', values: true },
      {
        begin: () => {
          this.#reading++
        },
        entry: (entry) => this.#heard(entry),
        ready: () => this.#ready(),
      },
    )
  }

  get size(): number {
    return this.#memory.size
  }

  async start(listener: RevocationListener): Promise<void> {
    await this.#link.open()
    this.#listener = listener
    await this.#watch.start()
  }

  async revoke(revocation: Revocation, expiresAt: number): Promise<void> {
    const key = keyOf(revocation)
    await this.#lanes.run(key, () => this.#revoke(key, { revocation, expiresAt }))
  }

  isRevoked(token: TokenMark): boolean {
    return this.#memory.isRevoked(token)
  }

  /** Forgets what has ended. To be called about once a second. */
  sweep(): void {
    this.#memory.sweep()
    this.#cleaning.begin()
  }

  async close(): Promise<void> {
    this.#watch.close()
    this.#memory.close()
    await this.#cleaning.settled()
  }

  async #revoke(key: string, added: Kept): Promise<void> {
    if (!this.#known.has(key)) this.#assertRoom()
    this.#revoking.set(key, undefined)
    try {
      await this.#write(key, added)
    } finally {
      // What was heard of a revocation whose answer is missing.
      const heard = this.#revoking.get(key)
      this.#revoking.delete(key)
      if (heard) this.#heard(heard)
    }
  }

  async #write(key: string, added: Kept): Promise<void> {
    for (;;) {
      const entry = await this.#bucket.get(key)
      const before = entry && readKept(entry.value)
      const kept = before ? both(before, added) : added
      try {
        const revision = await this.#bucket.put(key, 'revoked', ENCODER.encode(JSON.stringify(kept)), entry?.revision ?? 0)
        this.#learn(key, revision, kept, added.revocation)
        this.#revoking.set(key, undefined)
        return
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error
      }
    }
  }

  #heard(entry: KvEntry): void {
    const { key, revision, value } = entry
    if (!/^[tu]\./u.test(key)) return
    if (this.#revoking.has(key)) {
      this.#revoking.set(key, entry)
      return
    }
    const known = this.#known.get(key)
    if (known && known.revision >= revision && known.reading === this.#reading) return
    const kept = readKept(value)
    if (!kept) return
    if (known && isSame(known, kept)) this.#keep(key, revision, kept)
    else this.#learn(key, revision, kept, kept.revocation)
  }

  #learn(key: string, revision: number, kept: Kept, told: Revocation): void {
    this.#keep(key, revision, kept)
    if (kept.expiresAt <= this.#environment.now()) return
    this.#memory.revoke(kept.revocation, kept.expiresAt)
    this.#tell?.(told)
  }

  #keep(key: string, revision: number, kept: Kept): void {
    this.#known.set(key, { ...kept, revision, reading: this.#reading })
    this.#ends.push({ key, revision, dueAt: kept.expiresAt + this.#environment.random() * SPREAD_MS })
  }

  /** What this node knows, and the bucket does not any more, is told to it again: revocations outlive a NATS that comes back empty. */
  #ready(): void {
    this.#tell ??= (revocation) => this.#listener?.revoked(revocation)
    const now = this.#environment.now()
    for (const [key, known] of this.#known) {
      if (known.reading === this.#reading) continue
      if (known.expiresAt <= now) this.#known.delete(key)
      else this.#lanes.run(key, () => this.#revoke(key, known)).catch(() => undefined)
    }
  }

  #assertRoom(): void {
    if (this.size < this.#maxRevocations) return
    this.#memory.sweep()
    if (this.size >= this.#maxRevocations)
      throw new FusewireError('overloaded', `maxRevocations (${this.#maxRevocations}) are in force; nothing was revoked`)
  }

  async #clean(): Promise<void> {
    const now = this.#environment.now()
    const over: Promise<unknown>[] = []
    for (let end = this.#ends.pop(now); end && over.length < CLEANED_AT_ONCE; end = this.#ends.pop(now)) {
      const { key, revision } = end
      if (this.#known.get(key)?.revision !== revision) continue
      this.#known.delete(key)
      over.push(this.#bucket.erase(revision))
    }
    await Promise.all(over)
  }
}

const keyOf = (revocation: Revocation): string =>
  'token' in revocation ? `t.${shortened(revocation.token)}` : `u.${shortened(revocation.user)}`

const shortened = (name: string): string =>
  name.length <= MAX_TOKEN ? kvToken(name) : `=h${createHash('sha256').update(name).digest('hex')}`

/** Undefined for what no Fusewire has written. */
const readKept = (value: Uint8Array): Kept | undefined => {
  try {
    const { revocation, expiresAt } = JSON.parse(DECODER.decode(value)) as Partial<Kept>
    return revocation && typeof expiresAt === 'number' ? { revocation, expiresAt } : undefined
  } catch {
    return undefined
  }
}

const isSame = (one: Kept, other: Kept): boolean =>
  one.expiresAt === other.expiresAt && issuedBefore(one.revocation) === issuedBefore(other.revocation)

const issuedBefore = (revocation: Revocation): number => ('token' in revocation ? 0 : revocation.issuedBefore)

/** A later revocation takes nothing back. */
const both = (earlier: Kept, later: Kept): Kept => {
  const expiresAt = Math.max(earlier.expiresAt, later.expiresAt)
  if ('token' in later.revocation) return { revocation: later.revocation, expiresAt }
  const latest = Math.max(issuedBefore(earlier.revocation), later.revocation.issuedBefore)
  return { revocation: { ...later.revocation, issuedBefore: latest }, expiresAt }
}
