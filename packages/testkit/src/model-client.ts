import type { Engine } from '@fusewire/engine'
import type { ClientMessage, Position, Publication, ServerMessage, Subscribed, SubscriptionRequest } from '@fusewire/protocol'
import { expect } from 'vitest'
import { MemoryConnection } from './memory-connection.ts'

/** Everything that was really published, by channel: what clients are told is compared with it. */
export class Journal {
  readonly #channels = new Map<string, { readonly offset: number; readonly data: unknown; readonly tag: string }[]>()

  /** Publishes with the engine, and takes it down. */
  publish(engine: Engine, channel: string, tag: string): void {
    const entries = this.#channels.get(channel) ?? []
    this.#channels.set(channel, entries)
    const data = entries.length + 1
    entries.push({ offset: data, data, tag })
    engine.publish(channel, { data, tags: { tag } })
  }

  /** The offset of the newest. */
  newest(channel: string): number {
    return this.#channels.get(channel)?.length ?? 0
  }

  /** What passes the filter, after one offset and up to another. */
  between(channel: string, after: number, upTo: number, filter: string | undefined): { offset: number; data: unknown }[] {
    const entries = this.#channels.get(channel) ?? []
    return entries
      .slice(Math.max(0, after), Math.max(0, upTo))
      .filter(({ tag }) => filter === undefined || tag === filter)
      .map(({ offset, data }) => ({ offset, data }))
  }
}

/** What a client knows of one channel. */
interface Channel {
  /** Where it has got to; kept over cuts. */
  position: Position | undefined
  /** `unsure`: the line was cut before the answer. */
  state: 'off' | 'live' | 'unsure'
  filter: string | undefined
}

type Asked =
  | {
      readonly kind: 'subscribe'
      readonly channel: string
      readonly filter: string | undefined
      readonly since: Position | undefined
    }
  | { readonly kind: 'unsubscribe'; readonly channel: string }

/**
 * A client that believes only what it has read, and checks every message against the {@link Journal}: what follows its position is
 * the next that passes its filter, or the server has said that something is missing, and rightly so.
 */
export class ModelClient {
  readonly #engine: Engine
  readonly #journal: Journal
  readonly #historySize: number
  readonly #channels = new Map<string, Channel>()
  readonly #connections: MemoryConnection[] = []
  #connection: MemoryConnection | undefined
  #resume: string | undefined
  #session: string | undefined
  /** Messages of this connection that have been read; the others are lost when the line is cut. */
  #read = 0
  #ids = 0
  /** Requests of this connection without an answer. */
  readonly #asked = new Map<number, Asked>()
  /** Channels whose filter the server may have changed without the client's knowledge. */
  readonly #unsure = new Set<string>()

  constructor(engine: Engine, journal: Journal, historySize: number) {
    this.#engine = engine
    this.#journal = journal
    this.#historySize = historySize
  }

  get isOpen(): boolean {
    return this.#connection?.isOpen === true
  }

  /** Requests of the open connection that have no answer yet. */
  get unanswered(): readonly Asked[] {
    return this.isOpen ? [...this.#asked.values()] : []
  }

  /**
   * Opens a line, though an older one may still be open. Channels that are not named are left to the server's memory; those of which
   * the client cannot know what the server remembers are always named.
   */
  open(names: 'all' | 'none'): void {
    const connection = new MemoryConnection((opened) => this.#engine.open(opened))
    this.#connections.push(connection)
    this.#connection = connection
    this.#read = 0
    const named = new Map<string, string | undefined>()
    for (const [name, { state, filter }] of this.#channels)
      if ((state === 'live' && names === 'all') || this.#unsure.has(name)) named.set(name, filter)
    this.#unsure.clear()
    for (const asked of this.#asked.values()) if (asked.kind === 'subscribe') named.set(asked.channel, asked.filter)
    this.#asked.clear()
    for (const channel of this.#channels.values()) if (channel.state === 'live') channel.state = 'unsure'
    const subscriptions = [...named].map(([name, filter]) => this.#request(name, filter))
    connection.say({ type: 'connect', ...(this.#resume !== undefined && { resume: this.#resume }), subscriptions })
  }

  /** The line breaks, and what has not been read is lost. */
  cut(): void {
    this.#connection?.cut()
    this.#connection = undefined
  }

  /** Older lines, which the client has forgotten and the server may still hold, break. */
  cutForgotten(): void {
    for (const connection of this.#connections) if (connection !== this.#connection) connection.cut()
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

  /** The application subscribes the client, which hears of it by a `subscribed` that it has not asked for. */
  enteredByApplication(channel: string): void {
    if (this.#session === undefined) return
    this.#unsure.add(channel)
    // The stores may refuse it: then it is as if it had not been tried.
    this.#engine.subscribeUser({ session: this.#session }, channel).catch(() => undefined)
  }

  removedByApplication(channel: string): void {
    if (this.#session !== undefined) this.#engine.unsubscribeUser({ session: this.#session }, channel)
  }

  disconnectedByApplication(): void {
    if (this.#session !== undefined) this.#engine.disconnectUser({ session: this.#session })
  }

  ping(): void {
    if (this.isOpen) this.#say({ type: 'ping' })
  }

  /** Reads what has been sent, or the first of it. */
  read(count = Number.POSITIVE_INFINITY): void {
    const messages = this.#connection?.received.slice(this.#read, this.#read + count) ?? []
    this.#read += messages.length
    for (const message of messages) this.#take(message)
  }

  /** Everything that passes a filter has been read. */
  expectComplete(): void {
    for (const [name, { state, position, filter }] of this.#channels)
      if (state === 'live')
        expect(this.#journal.between(name, position?.offset ?? 0, this.#journal.newest(name), filter)).toEqual([])
  }

  #say(message: ClientMessage): void {
    this.#connection?.say(message)
  }

  #channel(name: string): Channel {
    const channel = this.#channels.get(name) ?? { position: undefined, state: 'off', filter: undefined }
    this.#channels.set(name, channel)
    return channel
  }

  #request(channel: string, filter: string | undefined): SubscriptionRequest {
    const id = ++this.#ids
    const { position: since } = this.#channel(channel)
    this.#asked.set(id, { kind: 'subscribe', channel, filter, since })
    return { channel, id, ...(since && { since }), ...(filter !== undefined && { tags: { tag: filter } }) }
  }

  #forgetSession(): void {
    this.#resume = undefined
    for (const channel of this.#channels.values()) channel.state = 'off'
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
        if (this.#resume !== undefined && message.resumed) expect(message.session).toBe(this.#session)
        else for (const channel of this.#channels.values()) channel.state = 'off'
        this.#resume = message.resume
        this.#session = message.session
        return
      case 'subscribed':
        this.#subscribed(message, this.#answered(message.id))
        return
      case 'publication':
        this.#publication(message.channel, message)
        return
      case 'unsubscribed':
        this.#answered(message.id)
        this.#channel(message.channel).state = 'off'
        return
      case 'error': {
        const asked = this.#answered(message.id)
        // A subscribe that fails leaves what it repeats as it was, and what a resumed session has to the next attempt.
        if (asked?.kind === 'unsubscribe') this.#channel(asked.channel).state = 'off'
        return
      }
      case 'disconnect':
        if (!message.reconnect && message.code !== 'session_replaced') this.#forgetSession()
    }
  }

  #subscribed(message: Subscribed, asked: Asked | undefined): void {
    const channel = this.#channel(message.channel)
    const { position, recovered, publications = [] } = message
    if (!recovered) expect(publications).toEqual([])
    if (asked?.kind === 'subscribe') {
      const { since, filter } = asked
      channel.filter = filter
      expect(recovered === undefined).toBe(since === undefined)
      const missed = publications.map(({ offset, data }) => ({ offset, data }))
      if (since && recovered)
        expect(missed).toEqual(this.#journal.between(message.channel, since.offset, position.offset, filter))
      if (since && !recovered) expect(this.#journal.newest(message.channel) - since.offset).toBeGreaterThan(this.#historySize)
    } else if (recovered === undefined) channel.filter = undefined
    else expect(recovered).toBe(false)
    channel.state = 'live'
    channel.position = position
  }

  #publication(name: string, { offset, data }: Publication): void {
    const { state, position, filter } = this.#channel(name)
    expect(state).toBe('live')
    expect(this.#journal.between(name, position?.offset ?? 0, offset, filter)).toEqual([{ offset, data }])
    this.#channel(name).position = { epoch: position?.epoch ?? '', offset }
  }
}
