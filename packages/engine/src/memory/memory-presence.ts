import type { Member } from '@fusewire/protocol'
import type { PresenceStore } from '../ports/presence-store.ts'

/** Presence of a single process. */
export class MemoryPresence implements PresenceStore {
  readonly #channels = new Map<string, Map<string, Member>>()

  add(channel: string, member: Member): void {
    const members = this.#channels.get(channel)
    if (members) members.set(member.session, member)
    else this.#channels.set(channel, new Map([[member.session, member]]))
  }

  remove(channel: string, session: string): void {
    const members = this.#channels.get(channel)
    if (members?.delete(session) && members.size === 0) this.#channels.delete(channel)
  }

  list(channel: string): readonly Member[] {
    return [...(this.#channels.get(channel)?.values() ?? [])]
  }

  count(channel: string): { sessions: number; users: number } {
    const members = this.list(channel)
    const users = new Set(members.map(({ session, user }) => (user === undefined ? `session ${session}` : `user ${user}`)))
    return { sessions: members.length, users: users.size }
  }
}
