import type { RefreshResult, SessionRecord, SessionStore, SessionStoreListener } from '@fusewire/engine'
import type { HubCalls } from './hub-calls.ts'

/** A worker's way to the sessions that all workers of a server share. */
export class HubSessions implements SessionStore {
  readonly #calls: HubCalls
  readonly #node: string

  /** `node`: whose sessions they are that are put. */
  constructor(calls: HubCalls, node: string) {
    this.#calls = calls
    this.#node = node
  }

  start(listener: SessionStoreListener): Promise<void> {
    this.#calls.on('lost', (session) => listener.lost(session))
    return this.#calls.ask('sessions.start', this.#node)
  }

  put(records: readonly SessionRecord[], ttlMs: number): Promise<readonly string[]> {
    return this.#calls.ask('sessions.put', records, ttlMs)
  }

  refresh(ids: readonly string[], ttlMs: number): Promise<RefreshResult> {
    return this.#calls.ask('sessions.refresh', ids, ttlMs)
  }

  async find(id: string): Promise<SessionRecord | undefined> {
    return (await this.#calls.ask('sessions.find', id)) ?? undefined
  }

  async take(id: string, ttlMs: number): Promise<SessionRecord | undefined> {
    return (await this.#calls.ask('sessions.take', id, ttlMs)) ?? undefined
  }

  remove(ids: readonly string[]): Promise<readonly string[]> {
    return this.#calls.ask('sessions.remove', ids)
  }

  expired(limit: number, leaseMs: number): Promise<readonly SessionRecord[]> {
    return this.#calls.ask('sessions.expired', limit, leaseMs)
  }

  close(): void {}
}
