import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerMessage } from '@fusewire/protocol'
import type { Random } from '@fusewire/testkit'
import type { Endpoints, Way, WireClient } from '../wire/way.ts'
import { BACKOFF_MS, HEARTBEAT_MS, PATIENCE_MS, TURN_MS } from './patience.ts'
import type { Stream } from './stream.ts'
import { countComing, countSession, noComings, type Subscriber } from './subscriber.ts'
import type { Place, Told } from './told.ts'

interface PendingPublish {
  readonly message: object
  readonly resolve: (place: Place) => void
  readonly reject: (error: Error) => void
}

/** A small client by hand, without the SDK: it resumes its session, and its channels by position, on any way in. */
export class WireSubscriber implements Subscriber {
  readonly told = new Map<Stream, Told[]>()
  readonly comings = noComings()
  readonly sessions: string[] = []
  readonly problems: string[] = []
  readonly #way: Way
  readonly #endpoints: Endpoints
  readonly #random: Random
  readonly #byName = new Map<string, Stream>()
  readonly #places = new Map<string, Place>()
  readonly #publishing = new Map<number, PendingPublish>()
  #lastId = 0
  /** When the server has answered last. Publications alone do not tell that it hears. */
  #pongAt = 0
  #resume: string | undefined
  /** The connection on which the server has answered `connect`. */
  #live: WireClient | undefined
  /** A subscription could not be made now: it comes anew, with all of them. */
  #isRefused = false
  #isClosed = false
  readonly #running: Promise<void>

  constructor(way: Way, endpoints: Endpoints, streams: readonly Stream[], random: Random) {
    this.#way = way
    this.#endpoints = endpoints
    this.#random = random
    for (const stream of streams) {
      this.told.set(stream, [])
      this.#byName.set(stream.name, stream)
    }
    this.#running = this.#run()
  }

  publish(stream: Stream, data: unknown): Promise<Place> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      const message = { type: 'publish', id, channel: stream.name, data, key: randomUUID() }
      this.#publishing.set(id, { message, resolve, reject })
      this.#live?.send(message)
    })
  }

  stir(): void {
    this.#live?.destroy()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
    for (const { reject } of this.#publishing.values()) reject(new Error('the client was closed'))
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const client = await this.#open()
      if (client) {
        await this.#follow(client)
        this.#live = undefined
        client.destroy()
      }
      if (!this.#isClosed) await delay(this.#random.integer(0, BACKOFF_MS))
    }
  }

  async #open(): Promise<WireClient | undefined> {
    const late = new AbortController()
    const opening = this.#way.open(this.#endpoints)
    const opened = opening.then(
      (client) => {
        if (!late.signal.aborted) return client
        client.destroy()
        return undefined
      },
      () => undefined,
    )
    const client = await Promise.race([opened, delay(PATIENCE_MS, undefined, { signal: late.signal })])
    late.abort()
    return client
  }

  /** Reads one connection to its end, or until nothing comes any more. */
  async #follow(client: WireClient): Promise<void> {
    const subscriptions = [...this.#byName.keys()].map((channel) => {
      const since = this.#places.get(channel)
      return { channel, ...(since && { since }) }
    })
    const wasRecovering = new Set(this.#places.keys())
    client.send({ type: 'connect', ...(this.#resume !== undefined && { resume: this.#resume }), subscriptions })
    this.#isRefused = false
    const beganAt = performance.now()
    let [read, pingedAt] = [0, beganAt]
    this.#pongAt = beganAt
    while (!this.#isClosed) {
      for (; read < client.received.length; read++) this.#take(client.received[read] as ServerMessage, client, wasRecovering)
      const now = performance.now()
      if (client.end || this.#isRefused || now - this.#pongAt > PATIENCE_MS) return
      if (this.#live && now - pingedAt > HEARTBEAT_MS) {
        client.send({ type: 'ping' })
        pingedAt = now
      }
      await delay(TURN_MS)
    }
    client.send({ type: 'disconnect' })
  }

  #take(message: ServerMessage, client: WireClient, wasRecovering: Set<string>): void {
    switch (message.type) {
      case 'pong':
        this.#pongAt = performance.now()
        return
      case 'connected':
        this.#pongAt = performance.now()
        countComing(this.comings, message.resumed)
        countSession(this.sessions, message.session)
        this.#resume = message.resume
        this.#live = client
        for (const { message: again } of this.#publishing.values()) client.send(again)
        return
      case 'subscribed': {
        const { channel, position, recovered = false, publications = [], document } = message
        this.#tell(
          channel,
          { kind: 'subscribed', position, wasRecovering: wasRecovering.has(channel), recovered, document },
          position,
        )
        // Another one over the same connection: the server may have missed something.
        wasRecovering.add(channel)
        for (const { offset, data, patch } of publications)
          this.#tell(channel, { kind: 'publication', offset, data, patch }, { epoch: position.epoch, offset })
        return
      }
      case 'publication': {
        const { channel, offset, data, patch } = message
        const epoch = this.#places.get(channel)?.epoch ?? ''
        this.#tell(channel, { kind: 'publication', offset, data, patch }, { epoch, offset })
        return
      }
      case 'result': {
        const id = message.id ?? 0
        this.#publishing.get(id)?.resolve((message.data as { position: Place }).position)
        this.#publishing.delete(id)
        return
      }
      case 'error': {
        const publishing = this.#publishing.get(message.id ?? 0)
        if (!message.retryable) this.problems.push(`error ${message.code}: ${message.message}`)
        else
          setTimeout(() => {
            if (publishing) this.#live?.send(publishing.message)
            else if (this.#live === client) this.#isRefused = true
          }, message.retryAfterMs ?? HEARTBEAT_MS)
        return
      }
      case 'disconnect':
        if (!message.reconnect && message.code !== 'session_replaced') this.problems.push(`disconnected: ${message.code}`)
    }
  }

  #tell(channel: string, told: Told, place: Place): void {
    const stream = this.#byName.get(channel)
    if (!stream) this.problems.push(`told of ${channel}`)
    else this.told.get(stream)?.push(told)
    this.#places.set(channel, place)
  }
}
