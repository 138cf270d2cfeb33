import { setTimeout as delay } from 'node:timers/promises'
import { type Candidate, connectionsOf, type ReachableServer } from './candidates.ts'
import { EventCounter } from './event-counter.ts'
import { Http2Connection } from './http2-connection.ts'
import { lineGreetings, openLineClient } from './line-client.ts'
import { assertOpenFiles, mostConnections } from './open-files.ts'
import { loopbackAddress } from './open-socket.ts'
import { until } from './until.ts'
import { type LoadClient, type OnMessages, openWebSocket, openWebSocketStream } from './web-socket-client.ts'

/** Connections that are opened at a time. */
const OPENING = 50

/** The `subscribed` of each channel; the server connects by itself (T12 of the protocol). */
const SSE_GREETINGS = (channels: number): number => channels

/** Called with each message that a subscriber is sent after its greeting. */
export type OnDelivery = () => void

export interface AudienceOptions {
  readonly clients: number
  /** Of each client, by its number. */
  readonly channels: (client: number) => readonly string[]
  readonly onDelivery?: OnDelivery
  readonly onProgress?: (opened: number) => void
}

/** Subscribers that count what they are sent. */
export class Audience {
  readonly #clients: LoadClient[] = []
  readonly #connections: Http2Connection[] = []
  readonly #candidate: Candidate
  readonly #server: ReachableServer
  readonly #options: AudienceOptions
  #received = 0
  #greetings = 0

  private constructor(server: ReachableServer, candidate: Candidate, options: AudienceOptions) {
    this.#server = server
    this.#candidate = candidate
    this.#options = options
  }

  /** Opens the clients, and waits until all are subscribed. */
  static async open(server: ReachableServer, candidate: Candidate, options: AudienceOptions): Promise<Audience> {
    const audience = new Audience(server, candidate, options)
    const { way } = candidate
    const perConnection = 'streams' in way ? way.streams : 1
    const connections = connectionsOf(candidate, options.clients)
    assertOpenFiles(connections, mostConnections())
    try {
      for (let first = 0; first < connections; first += OPENING)
        await Promise.all(
          Array.from({ length: Math.min(OPENING, connections - first) }, (_, index) =>
            audience.#connect(first + index, perConnection),
          ),
        )
      await until(
        () => audience.received >= 0,
        () => `${-audience.received} greetings are missing`,
      )
      // Whatever is still to be done about the handshakes is not to be measured.
      await delay(300)
      audience.#received = 0
      audience.#greetings = 0
      return audience
    } catch (error) {
      audience.close()
      throw error
    }
  }

  /** Messages that all of them together have been sent after the greetings; negative while those are under way. */
  get received(): number {
    return this.#received - this.#greetings
  }

  /** The clients, to have them send something. */
  get clients(): readonly LoadClient[] {
    return this.#clients
  }

  close(): void {
    for (const client of this.#clients) client.destroy()
    for (const connection of this.#connections) connection.destroy()
  }

  async #connect(connection: number, clients: number): Promise<void> {
    const first = connection * clients
    const last = Math.min(first + clients, this.#options.clients)
    const localAddress = this.#server.process && loopbackAddress(connection)
    const { way, dialect } = this.#candidate
    const channelsOfFirst = this.#options.channels(first)
    if (way.kind === 'websocket') {
      const request = { dialect, isDeflateOffered: way.isDeflateOffered === true }
      const client = await openWebSocket(
        this.#server.address,
        request,
        this.#counted(dialect.greetings(channelsOfFirst.length)),
        {
          localAddress,
        },
      )
      this.#subscribe(client, channelsOfFirst)
      return
    }
    if (!('streams' in way)) {
      const onMessages = this.#counted(lineGreetings(way.kind, channelsOfFirst.length))
      this.#clients.push(await openLineClient(way.kind, this.#server.address, channelsOfFirst, onMessages, { localAddress }))
      return
    }
    const http2 = await Http2Connection.open(this.#server.address, { localAddress })
    this.#connections.push(http2)
    for (let client = first; client < last; client++) {
      const channels = this.#options.channels(client)
      if (way.kind === 'sse-h2') this.#openEvents(http2, channels)
      else
        this.#subscribe(
          await openWebSocketStream(http2, { dialect }, this.#counted(dialect.greetings(channels.length))),
          channels,
        )
    }
  }

  #subscribe(client: LoadClient, channels: readonly string[]): void {
    this.#clients.push(client)
    for (const frame of this.#candidate.dialect.subscribe(channels)) client.write(frame)
  }

  #openEvents(http2: Http2Connection, channels: readonly string[]): void {
    const counter = new EventCounter()
    const onMessages = this.#counted(SSE_GREETINGS(channels.length))
    const query = channels.map((channel) => `channel=${encodeURIComponent(channel)}`).join('&')
    http2.request(
      {
        ':method': 'GET',
        ':scheme': 'https',
        ':path': `/fusewire/v1/sse?${query}`,
        ':authority': 'localhost',
        accept: 'text/event-stream',
      },
      { onData: (chunk) => onMessages(counter.push(chunk), chunk) },
    )
  }

  #counted(greetings: number): OnMessages {
    this.#greetings += greetings
    let toGreet = greetings
    const { onDelivery } = this.#options
    return (messages) => {
      this.#received += messages
      if (!onDelivery) return
      const greeted = Math.min(toGreet, messages)
      toGreet -= greeted
      for (let message = greeted; message < messages; message++) onDelivery()
    }
  }
}
