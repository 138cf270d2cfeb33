import { Lanes, type PresenceStore } from '@fusewire/engine'
import type { Member } from '@fusewire/protocol'
import { type KvBucket, RevisionConflict } from './kv-bucket.ts'
import { kvToken } from './kv-key.ts'
import { KvWatch } from './kv-watch.ts'
import { leaseMeta, leaseOf } from './lease.ts'
import type { NatsLink } from './nats-link.ts'
import { LEFT, memberOf, type PresenceEntry, presenceMeta, presenceValue, readPresence } from './presence-entry.ts'
import { PresenceIndex } from './presence-index.ts'
import { RepeatedWork } from './repeated-work.ts'
import type { ServerClock } from './server-clock.ts'
import { SharedWait } from './shared-wait.ts'

export interface NatsPresenceOptions {
  readonly node: string
  /** How long a member stays whom no node adds or refreshes, in milliseconds. */
  readonly ttlMs: number
}

/** A member that this node has. */
interface OwnMember {
  readonly revision: number
  readonly writtenAt: number
  /** Which reading of the leases it was written in: after another one the bucket may have lost it. */
  readonly reading: number
  /** When its TTL ends, unless it is refreshed. */
  until: number
}

/** Below this token are the leases of nodes; no channel is called so. */
const NODES = '=n'
/** A lease reaches so much further than the TTL, in parts of it; so it need not be moved with every refresh. */
const AHEAD = 0.25
/** How long a marker stays for those who follow its channel, in milliseconds. */
const MARKER_MS = 10_000
const CLEANED_AT_ONCE = 500

/**
 * Presence in a bucket of NATS: a key for each member, `<channel>.<session>`. Every node follows all of them: to ask the server for those
 * of one channel takes it a look at all keys, and to follow each channel by itself makes every change dearer. Who asks writes a mark,
 * and is answered from memory once it is heard, and so everything that was acknowledged before. As with sessions, refreshing writes
 * nothing for each member: each node has a lease that counts for all of its members, and takes out those that are not refreshed any more.
 */
export class NatsPresence implements PresenceStore {
  readonly #bucket: KvBucket
  readonly #clock: ServerClock
  readonly #node: string
  readonly #ttlMs: number
  readonly #lanes = new Lanes()
  readonly #own = new Map<string, OwnMember>()
  readonly #leases = new Map<string, number>()
  readonly #index = new PresenceIndex()
  readonly #watch: KvWatch
  readonly #heard: SharedWait
  /** Markers of this node, the oldest first. */
  #markers: { readonly revision: number; readonly due: number }[] = []
  #lease = 0
  #moving: Promise<void> | undefined
  #reading = 0
  #expiredAt = 0
  readonly #cleaning = new RepeatedWork(() => this.#clean())

  constructor(link: NatsLink, bucket: KvBucket, clock: ServerClock, { node, ttlMs }: NatsPresenceOptions) {
    this.#bucket = bucket
    this.#clock = clock
    this.#node = kvToken(node)
    this.#ttlMs = ttlMs
    this.#watch = new KvWatch(
      link,
      bucket,
      clock,
      { filter: '>', mark: `${NODES}.${this.#node}`, markMeta: () => leaseMeta(this.#lease), values: true },
      {
        begin: () => {
          this.#reading++
          this.#index.beginReading()
        },
        entry: (entry) => {
          if (entry.key.startsWith(`${NODES}.`)) this.#leases.set(entry.key.slice(NODES.length + 1), leaseOf(entry.meta))
          else this.#index.apply(entry)
        },
        ready: () => this.#index.endReading(),
      },
    )
    this.#heard = new SharedWait(() => this.#watch.sync())
  }

  add(channel: string, member: Member): Promise<boolean> {
    const key = keyOf(channel, member.session)
    return this.#lanes.run(key, () => this.#add(key, member))
  }

  remove(channel: string, session: string): Promise<boolean> {
    const key = keyOf(channel, session)
    return this.#lanes.run(key, () => this.#remove(key))
  }

  async refresh(channel: string, members: readonly Member[]): Promise<void> {
    // In their lanes at once: what is called after this follows it.
    const moved = this.#moveLease()
    await Promise.all(
      members.map((member) => {
        const key = keyOf(channel, member.session)
        return this.#lanes.run(key, async () => {
          await moved
          await this.#refresh(key, member)
        })
      }),
    )
    await moved
    await this.#expire(this.#ttlMs / 8)
  }

  async list(channel: string): Promise<readonly Member[]> {
    return (await this.#present(kvToken(channel))).map(memberOf)
  }

  async count(channel: string): Promise<{ sessions: number; users: number }> {
    const members = await this.list(channel)
    const users = new Set(members.map(({ session, user }) => (user === undefined ? `session ${session}` : `user ${user}`)))
    return { sessions: members.length, users: users.size }
  }

  /** Forgets what is over. To be called about once a second. */
  sweep(): void {
    this.#cleaning.begin()
  }

  async close(): Promise<void> {
    this.#watch.close()
    await this.#cleaning.settled()
  }

  async #add(key: string, member: Member): Promise<boolean> {
    // Members know which reading of the leases they were written in.
    if (this.#reading === 0) await this.#watch.start()
    let revision = this.#own.get(key)?.revision ?? 0
    let isNew = revision === 0
    for (;;) {
      const reading = this.#reading
      const now = this.#clock.now()
      const until = now + this.#ttlMs
      const written = await this.#write(key, presenceMeta(until, this.#node), presenceValue(member), revision)
      if (written !== undefined) {
        this.#own.set(key, { revision: written, writtenAt: now, reading, until })
        return isNew
      }
      const entry = await this.#bucket.get(key)
      const before = entry && readPresence(entry)
      revision = entry?.revision ?? 0
      isNew = !before || !(await this.#isStillThere(before))
    }
  }

  async #remove(key: string): Promise<boolean> {
    let revision = this.#own.get(key)?.revision
    this.#own.delete(key)
    let wasThere = true
    for (;;) {
      if (revision === undefined) {
        const entry = await this.#bucket.get(key)
        const before = entry && readPresence(entry)
        if (!before) return false
        revision = before.revision
        wasThere = await this.#isStillThere(before)
      }
      if (await this.#leave(key, revision)) return wasThere
      revision = undefined
    }
  }

  /** Where it is well there is nothing to do: the lease of this node has been moved. */
  async #refresh(key: string, member: Member): Promise<void> {
    const own = this.#own.get(key)
    const now = this.#clock.now()
    const isWell = own?.reading === this.#reading && own.writtenAt > now - this.#bucket.maxAgeMs / 2
    if (own && isWell) own.until = now + this.#ttlMs
    else await this.#add(key, member)
  }

  /** Leaves a marker. False when it has changed meanwhile. */
  async #leave(key: string, expected: number): Promise<boolean> {
    const revision = await this.#write(key, LEFT, new Uint8Array(), expected)
    if (revision === undefined) return false
    this.#markers.push({ revision, due: this.#clock.now() + MARKER_MS })
    return true
  }

  /** Undefined when the key has another revision. */
  async #write(key: string, meta: string, value: Uint8Array, expected: number): Promise<number | undefined> {
    try {
      return await this.#bucket.put(key, meta, value, expected)
    } catch (error) {
      if (error instanceof RevisionConflict) return undefined
      throw error
    }
  }

  async #present(channel: string): Promise<readonly PresenceEntry[]> {
    await this.#heard.next()
    const members = this.#index.members(channel)
    const there = members.filter((member) => this.#isThere(member))
    if (there.length < members.length)
      for (const member of members) if (!this.#isThere(member)) this.#leave(member.key, member.revision).catch(() => undefined)
    return there
  }

  /** As far as has been heard. */
  #isThere({ end, node }: PresenceEntry): boolean {
    const now = this.#clock.now()
    return end > now || (this.#leases.get(node) ?? 0) > now
  }

  /** Who was stopped for a while takes all others for dead, until it has read what has come since. */
  async #isStillThere(member: PresenceEntry): Promise<boolean> {
    if (this.#isThere(member)) return true
    await this.#heard.next()
    return this.#isThere(member)
  }

  /** So that it counts for a TTL from now on. Those who ask together wait together. */
  #moveLease(): Promise<void> {
    if (this.#lease >= this.#clock.now() + this.#ttlMs) return this.#moving ?? Promise.resolve()
    const moving = (this.#moving ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => {
        const before = this.#lease
        this.#lease = this.#clock.now() + (1 + AHEAD) * this.#ttlMs
        try {
          await this.#heard.next()
        } catch (error) {
          this.#lease = before
          throw error
        }
      })
      .finally(() => {
        if (this.#moving === moving) this.#moving = undefined
      })
    this.#moving = moving
    return moving
  }

  /** Takes out those of this node that nobody has refreshed; not again within `everyMs`. */
  async #expire(everyMs: number): Promise<void> {
    const now = this.#clock.now()
    if (this.#expiredAt + everyMs > now) return
    this.#expiredAt = now
    const over = [...this.#own].filter(([, { until }]) => until <= now)
    await Promise.all(
      over.map(([key]) =>
        this.#lanes.run(key, async () => {
          const own = this.#own.get(key)
          if (!own || own.until > now) return
          this.#own.delete(key)
          await this.#leave(key, own.revision)
        }),
      ),
    )
  }

  async #clean(): Promise<void> {
    await this.#expire(0)
    const now = this.#clock.now()
    const over = this.#markers.filter(({ due }) => due <= now).slice(0, CLEANED_AT_ONCE)
    this.#markers = this.#markers.slice(over.length)
    await Promise.all(over.map(({ revision }) => this.#bucket.erase(revision)))
  }
}

const keyOf = (channel: string, session: string): string => `${kvToken(channel)}.${kvToken(session)}`
