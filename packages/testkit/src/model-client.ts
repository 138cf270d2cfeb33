import type { Engine } from '@fusewire/engine'
import type { ClientMessage, Position, ServerMessage, Subscribed, SubscriptionRequest } from '@fusewire/protocol'
import { expect } from 'vitest'
import type { Journal } from './journal.ts'
import { MemoryConnection } from './memory-connection.ts'
import { ModelChannel } from './model-channel.ts'

type Asked =
  | {
      readonly kind: 'subscribe'
      readonly channel: string
      readonly filter: string | undefined
      readonly since: Position | undefined
      /** What it may put an end to. */
      readonly doubt: Doubt | undefined
    }
  | { readonly kind: 'unsubscribe'; readonly channel: string }

/** The server may have another filter for a channel than the client has been told; this is the one that the client wants. */
interface Doubt {
  readonly filter: string | undefined
}

/** How a {@link ModelClient} reaches the server, and the application the client. */
export interface ModelClientWay {
  open(): MemoryConnection
  say(connection: MemoryConnection, message: ClientMessage): void
  cut(connection: MemoryConnection): void
  /** Those that the application's commands reach. */
  readonly engines: readonly Engine[]
}

/** To one engine, without anything in between. */
export const straightTo = (engine: Engine): ModelClientWay => ({
  open: () => new MemoryConnection((opened) => engine.open(opened)),
  say: (connection, message) => connection.say(message),
  cut: (connection) => connection.cut(),
  engines: [engine],
})

/**
 * A client that believes only what it has read, and checks every message against the {@link Journal}: what follows its position is
 * the next that passes its filter, or the server has said that something is missing, and rightly so.
 */
export class ModelClient {
  readonly #way: ModelClientWay
  readonly #journal: Journal
  readonly #channels = new Map<string, ModelChannel>()
  readonly #connections: MemoryConnection[] = []
  #connection: MemoryConnection | undefined
  #resume: string | undefined
  #session: string | undefined
  /** Messages of this connection that have been read; the others are lost when the line is cut. */
  #read = 0
  /** Whether this connection has been accepted. */
  #isAccepted = false
  #ids = 0
  /** What was wrong with a message. */
  #failure: unknown
  /** Requests of this connection without an answer. */
  readonly #asked = new Map<number, Asked>()
  /** By channel; until a `subscribed` that was asked for since, or another session. */
  readonly #doubts = new Map<string, Doubt>()

  constructor(way: ModelClientWay, journal: Journal) {
    this.#way = way
    this.#journal = journal
  }

  get isOpen(): boolean {
    return this.#connection?.isOpen === true
  }

  /** The session that it was told last. */
  get session(): string | undefined {
    return this.#session
  }

  /** Requests of the open connection that have no answer yet. */
  get unanswered(): readonly Asked[] {
    return this.isOpen ? [...this.#asked.values()] : []
  }

  /**
   * Opens a line, though an older one may still be open. Channels that are not named are left to the server's memory; those of which
   * the client cannot know what the server remembers are always named. `every`: also those of which it has lost sight.
   */
  open(names: 'every' | 'all' | 'none'): void {
    const connection = this.#way.open()
    this.#connections.push(connection)
    this.#connection = connection
    this.#read = 0
    this.#isAccepted = false
    // Nobody knows what has come of them.
    for (const asked of this.#asked.values())
      if (asked.kind === 'subscribe') this.#doubts.set(asked.channel, { filter: asked.filter })
    this.#asked.clear()
    const named = new Map<string, string | undefined>()
    for (const [name, { state, filter }] of this.#channels)
      if ((state === 'live' && names !== 'none') || (state === 'unsure' && names === 'every')) named.set(name, filter)
    for (const [name, { filter }] of this.#doubts) named.set(name, filter)
    for (const channel of this.#channels.values()) if (channel.state === 'live') channel.state = 'unsure'
    const subscriptions = [...named].map(([name, filter]) => this.#request(name, filter))
    this.#way.say(connection, { type: 'connect', ...(this.#resume !== undefined && { resume: this.#resume }), subscriptions })
  }

  /** The line breaks, and what has not been read is lost. */
  cut(): void {
    if (this.#connection) this.#way.cut(this.#connection)
    this.#connection = undefined
  }

  /** Older lines, which the client has forgotten and the server may still hold, break. */
  cutForgotten(): void {
    for (const connection of this.#connections) if (connection !== this.#connection) this.#way.cut(connection)
  }

  /** Leaves for good. */
  leave(): void {
    if (this.isOpen) this.#say({ type: 'disconnect' })
    this.#connection = undefined
    this.#forgetSession()
  }

  subscribe(channel: string, filter: string | undefined): void {
    if (this.isOpen) this.#say({ type: 'subscribe', ...this.#request(channel, filter) })
  }

  unsubscribe(channel: string): void {
    if (!this.isOpen) return
    const id = ++this.#ids
    this.#asked.set(id, { kind: 'unsubscribe', channel })
    this.#say({ type: 'unsubscribe', channel, id })
  }

  /**
   * The application subscribes the client, which hears of it by a `subscribed` that it has not asked for. Not while it comes back and
   * leaves the channel to the server's memory: what is made again then could have another filter, and nothing would tell the client.
   */
  enteredByApplication(channel: string): void {
    if (this.#session === undefined) return
    const isNamed = [...this.#asked.values()].some((asked) => asked.kind === 'subscribe' && asked.channel === channel)
    if (this.#channel(channel).state === 'unsure' && !isNamed) return
    this.#doubts.set(channel, { filter: this.#channel(channel).filter })
    // The stores may refuse it: then it is as if it had not been tried.
    for (const engine of this.#way.engines) engine.subscribeUser({ session: this.#session }, channel).catch(() => undefined)
  }

  removedByApplication(channel: string): void {
    if (this.#session === undefined) return
    for (const engine of this.#way.engines) engine.unsubscribeUser({ session: this.#session }, channel)
  }

  disconnectedByApplication(): void {
    if (this.#session === undefined) return
    for (const engine of this.#way.engines) engine.disconnectUser({ session: this.#session })
  }

  ping(): void {
    if (this.isOpen) this.#say({ type: 'ping' })
  }

  /** Reads what has been sent, or the first of it. */
  read(count = Number.POSITIVE_INFINITY): void {
    // Whoever tries again is told the same.
    if (this.#failure) throw this.#failure
    const messages = this.#connection?.received.slice(this.#read, this.#read + count) ?? []
    this.#read += messages.length
    try {
      for (const message of messages) this.#take(message)
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  /** Everything that passes a filter has been read. */
  expectComplete(): void {
    for (const channel of this.#channels.values()) channel.expectComplete()
  }

  #say(message: ClientMessage): void {
    if (this.#connection) this.#way.say(this.#connection, message)
  }

  #channel(name: string): ModelChannel {
    const channel = this.#channels.get(name) ?? new ModelChannel(name, this.#journal)
    this.#channels.set(name, channel)
    return channel
  }

  #request(channel: string, filter: string | undefined): SubscriptionRequest {
    const id = ++this.#ids
    const { position: since } = this.#channel(channel)
    this.#asked.set(id, { kind: 'subscribe', channel, filter, since, doubt: this.#doubts.get(channel) })
    return { channel, id, ...(since && { since }), ...(filter !== undefined && { tags: { tag: filter } }) }
  }

  #forgetSession(): void {
    this.#resume = undefined
    this.#beginAnew()
  }

  #beginAnew(): void {
    this.#doubts.clear()
    for (const channel of this.#channels.values()) channel.turnOff()
  }

  /** Every request is answered once, on the connection that it was made on. */
  #answered(id: number | undefined): Asked | undefined {
    if (id === undefined) return undefined
    const asked = this.#asked.get(id)
    if (!asked) throw new Error(`an answer to request ${id}, which has none or had one`)
    this.#asked.delete(id)
    return asked
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case 'connected':
        this.#isAccepted = true
        if (this.#resume !== undefined && message.resumed) expect(message.session).toBe(this.#session)
        else this.#beginAnew()
        this.#resume = message.resume
        this.#session = message.session
        return
      case 'subscribed':
        this.#subscribed(message, this.#answered(message.id))
        return
      case 'publication':
        this.#channel(message.channel).publication(message)
        return
      case 'unsubscribed':
        this.#answered(message.id)
        this.#channel(message.channel).turnOff()
        return
      case 'error': {
        // It comes again later, and asks for the same.
        if (!this.#isAccepted && message.id === undefined) {
          this.cut()
          return
        }
        const asked = this.#answered(message.id)
        // A subscribe that fails leaves what it repeats as it was, also in doubt, and what a resumed session has to the next attempt.
        if (asked?.kind === 'unsubscribe') this.#channel(asked.channel).turnOff()
        return
      }
      case 'disconnect':
        if (!message.reconnect && message.code !== 'session_replaced') this.#forgetSession()
    }
  }

  #subscribed(message: Subscribed, asked: Asked | undefined): void {
    const { channel: name, recovered } = message
    const channel = this.#channel(name)
    // A `subscribed` that was not asked for is of a subscription that the server has kept, or the application made; or, in a channel
    // that is live, of an interruption.
    if (asked?.kind === 'subscribe') {
      channel.filter = asked.filter
      if (this.#doubts.get(name) === asked.doubt) this.#doubts.delete(name)
    } else if (channel.state !== 'live' && recovered === undefined) channel.filter = undefined
    const kept = recovered === undefined ? undefined : 'nowhere'
    const since = asked?.kind === 'subscribe' ? asked.since : channel.state === 'live' ? channel.position : kept
    channel.subscribed(message, since)
  }
}
