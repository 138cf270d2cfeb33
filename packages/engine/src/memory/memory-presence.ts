import type { Member } from '@fusewire/protocol'
import type { PresenceStore } from '../ports/presence-store.ts'

/** Presence of a single process. */
export class MemoryPresence implements PresenceStore {
  readonly #channels = new Map<string, Map<string, Member>>()

  add(channel: string, member: Member): boolean {
    const members = this.#channels.get(channel)
    if (!members) {
      this.#channels.set(channel, new Map([[member.session, member]]))
      return true
    }
    const isNew = !members.has(member.session)
    members.set(member.session, member)
    return isNew
  }

  remove(channel: string, session: string): boolean {
    const members = this.#channels.get(channel)
    if (!members?.delete(session)) return false
    if (members.size === 0) this.#channels.delete(channel)
    return true
  }

  refresh(channel: string, members: readonly Member[]): void {
    for (const member of members) this.add(channel, member)
  }

  list(channel: string): readonly Member[] {
    return [...(this.#channels.get(channel)?.values() ?? [])]
  }

  count(channel: string): { sessions: number; users: number } {
    const members = this.list(channel)
    const users = new Set(members.map(({ session, user }) => (user === undefined ? `session ${session}` : `user ${user}`)))
    return { sessions: members.length, users: users.size }
  }

  close(): void {
    this.#channels.clear()
  }
}
