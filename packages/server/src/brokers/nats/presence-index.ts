import type { KvEntry } from './kv-bucket.ts'
import { type PresenceEntry, readPresence } from './presence-entry.ts'

type Channels = Map<string, Map<string, PresenceEntry>>

/** Who is in which channel, over all nodes, as the bucket tells it. */
export class PresenceIndex {
  #channels: Channels = new Map()
  /** What has been told of a reading that is not done. */
  #reading: Channels | undefined
  /** One text for each node, not for each member. */
  #nodes = new Map<string, string>()

  /** The bucket is read from its beginning. */
  beginReading(): void {
    this.#reading = new Map()
    this.#nodes = new Map()
  }

  /** The bucket has been read: what was not in it is gone. */
  endReading(): void {
    this.#channels = this.#reading ?? this.#channels
    this.#reading = undefined
  }

  apply(entry: KvEntry): void {
    const channels = this.#reading ?? this.#channels
    const channel = entry.key.slice(0, entry.key.indexOf('.'))
    const member = readPresence(entry)
    const members = channels.get(channel)
    if (!member) {
      members?.delete(entry.key)
      if (members?.size === 0) channels.delete(channel)
      return
    }
    const node = this.#nodes.get(member.node) ?? member.node
    this.#nodes.set(node, node)
    if (members) members.set(member.key, { ...member, node })
    else channels.set(channel, new Map([[member.key, { ...member, node }]]))
  }

  /** `channel` is a token. */
  members(channel: string): readonly PresenceEntry[] {
    return [...(this.#channels.get(channel)?.values() ?? [])]
  }
}
