import type { Member } from '@fusewire/protocol'
import type { Environment } from '../ports/environment.ts'
import type { PresenceStore } from '../ports/presence-store.ts'
import { type Timed, TimerWheel } from '../timer-wheel.ts'
import { MemoryPresence } from './memory-presence.ts'

export interface SharedPresenceOptions {
  /** How long a member stays whom no node adds or refreshes, in milliseconds. */
  readonly ttlMs: number
}

/** By this much the end of a TTL may be late; a turn of the wheel is longer than the usual TTL. */
const SLOT_MS = 250
const SLOTS = 2048

/** Presence of several nodes in the memory of one process: a node that dies leaves nobody behind for longer than the TTL. */
export class SharedPresence {
  readonly #environment: Environment
  readonly #ttlMs: number
  readonly #wheel: TimerWheel
  readonly #presence = new MemoryPresence()
  readonly #stays = new Map<string, Map<string, Timed>>()

  constructor(environment: Environment, { ttlMs }: SharedPresenceOptions) {
    this.#environment = environment
    this.#ttlMs = ttlMs
    this.#wheel = new TimerWheel(environment.now(), SLOT_MS, SLOTS)
  }

  /** Presence as one node uses it; its `close` leaves everybody there. */
  node(): PresenceStore {
    return {
      add: (channel, member) => this.#add(channel, member),
      remove: (channel, session) => this.#remove(channel, session),
      refresh: (channel, members) => {
        for (const member of members) this.#add(channel, member)
      },
      list: (channel) => {
        this.sweep()
        return this.#presence.list(channel)
      },
      count: (channel) => {
        this.sweep()
        return this.#presence.count(channel)
      },
      close: () => {},
    }
  }

  /** Forgets those whose TTL has ended. */
  sweep(): void {
    this.#wheel.advance(this.#environment.now())
  }

  #add(channel: string, member: Member): boolean {
    this.sweep()
    const stays = this.#stays.get(channel) ?? new Map<string, Timed>()
    this.#stays.set(channel, stays)
    const stay = stays.get(member.session) ?? {
      due: () => {
        this.#remove(channel, member.session)
        return undefined
      },
    }
    stays.set(member.session, stay)
    this.#wheel.schedule(stay, this.#environment.now() + this.#ttlMs)
    return this.#presence.add(channel, member)
  }

  #remove(channel: string, session: string): boolean {
    const stays = this.#stays.get(channel)
    const stay = stays?.get(session)
    if (!stays || !stay) return false
    this.#wheel.cancel(stay)
    stays.delete(session)
    if (stays.size === 0) this.#stays.delete(channel)
    return this.#presence.remove(channel, session)
  }
}
