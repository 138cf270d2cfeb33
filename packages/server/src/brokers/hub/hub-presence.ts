import type { PresenceStore } from '@fusewire/engine'
import type { Member } from '@fusewire/protocol'
import type { HubCalls } from './hub-calls.ts'

/** A worker's way to the presence that all workers of a server share. */
export class HubPresence implements PresenceStore {
  readonly #calls: HubCalls

  constructor(calls: HubCalls) {
    this.#calls = calls
  }

  add(channel: string, member: Member): Promise<boolean> {
    return this.#calls.ask('presence.add', channel, member)
  }

  remove(channel: string, session: string): Promise<boolean> {
    return this.#calls.ask('presence.remove', channel, session)
  }

  refresh(channel: string, members: readonly Member[]): Promise<void> {
    return this.#calls.ask('presence.refresh', channel, members)
  }

  list(channel: string): Promise<readonly Member[]> {
    return this.#calls.ask('presence.list', channel)
  }

  count(channel: string): Promise<{ sessions: number; users: number }> {
    return this.#calls.ask('presence.count', channel)
  }

  close(): void {}
}
