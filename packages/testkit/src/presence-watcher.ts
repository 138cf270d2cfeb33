import type { ServerMessage } from '@fusewire/protocol'
import { expect } from 'vitest'
import type { EngineHarness } from './engine-harness.ts'
import type { MemoryConnection } from './memory-connection.ts'
import { turn } from './turn.ts'

/** Sees who comes and goes, and checks that nobody comes twice, or goes who was not there. */
export class PresenceWatcher {
  readonly #connection: MemoryConnection
  readonly #others = new Map<string, Set<string>>()
  readonly #isStrict: boolean
  #read = 0

  private constructor(connection: MemoryConnection, channels: readonly string[], isStrict: boolean) {
    this.#connection = connection
    this.#isStrict = isStrict
    for (const channel of channels) this.#others.set(channel, new Set())
  }

  /** Not strict: what a node could not announce is missed, and nothing is wrong with that. */
  static async open(harness: EngineHarness, channels: readonly string[], { isStrict = true } = {}): Promise<PresenceWatcher> {
    const connection = await harness.connect({ subscriptions: channels.map((channel) => ({ channel, presence: true })) })
    while (connection.all('subscribed').length < channels.length) await turn()
    return new PresenceWatcher(connection, channels, isStrict)
  }

  get session(): string {
    return this.#connection.last('connected').session
  }

  ping(): void {
    this.#connection.say({ type: 'ping' })
  }

  cut(): void {
    this.#connection.cut()
  }

  /** The sessions in a channel, its own among them. */
  present(channel: string): readonly string[] {
    const { received } = this.#connection
    for (const message of received.slice(this.#read)) this.#take(message)
    this.#read = received.length
    return [this.session, ...(this.#others.get(channel) ?? [])]
  }

  #take(message: ServerMessage): void {
    if (message.type !== 'join' && message.type !== 'leave') return
    const others = this.#others.get(message.channel)
    const { session } = message.member
    if (this.#isStrict) expect(others?.has(session)).toBe(message.type === 'leave')
    if (message.type === 'join') others?.add(session)
    else others?.delete(session)
  }
}
