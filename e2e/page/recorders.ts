/**
 * What the browser tests run inside of a page, as `recorder`: clients that write down what they are told, so that a test outside
 * can ask at any time.
 */
import { type ClientOptions, type Connected, FusewireClient, type SubscribedEvent } from '@fusewire/client'
import { msgpackCodec } from '@fusewire/client/msgpack'

declare global {
  var recorder: typeof import('./recorders.ts')
}

/** A bare WebSocket of the browser. */
export class RecordedSocket {
  readonly socket: WebSocket
  readonly messages: (string | number[])[] = []
  closed: { readonly code: number; readonly reason: string; readonly wasClean: boolean } | undefined

  /** What was agreed on, once it is open. */
  readonly opened: Promise<{ readonly protocol: string; readonly extensions: string }>

  constructor(url: string, protocols: string[]) {
    this.socket = new WebSocket(url, protocols)
    this.opened = new Promise((resolve, reject) => {
      this.socket.onopen = () => resolve({ protocol: this.socket.protocol, extensions: this.socket.extensions })
      this.socket.onerror = () => reject(new Error('the WebSocket failed'))
    })
    this.socket.binaryType = 'arraybuffer'
    this.socket.onmessage = ({ data }) => {
      if (typeof data === 'string') this.messages.push(...data.split('\n'))
      else this.messages.push([...new Uint8Array(data)])
    }
    this.socket.onclose = ({ code, reason, wasClean }) => {
      this.closed = { code, reason, wasClean }
    }
  }

  send(data: string | number[]): void {
    this.socket.send(typeof data === 'string' ? data : new Uint8Array(data))
  }
}

export const openSocket = (url: string, protocols: string[] = []): RecordedSocket => new RecordedSocket(url, protocols)

export interface RecordedEvent {
  readonly type: string
  readonly id: string
  readonly data: unknown
}

/** An EventSource of the browser. */
export class RecordedEvents {
  readonly source: EventSource
  readonly events: RecordedEvent[] = []
  /** Times that the stream was begun. */
  opened = 0

  constructor(url: string, names: readonly string[]) {
    this.source = new EventSource(url)
    this.source.onopen = () => {
      this.opened++
    }
    for (const name of ['message', ...names])
      this.source.addEventListener(name, ({ type, lastEventId, data }: MessageEvent<string>) => {
        this.events.push({ type, id: lastEventId, data: JSON.parse(data) })
      })
  }
}

export const openEvents = (url: string, names: readonly string[]): RecordedEvents => new RecordedEvents(url, names)

/** Options of the SDK that can be handed into a page. */
export interface RecordedClientOptions extends Pick<ClientOptions, 'transports' | 'token' | 'maxBackoffMs'> {
  readonly endpoint?: string
  readonly msgpack?: boolean
}

/** The SDK, with one channel. */
export class RecordedClient {
  readonly client: FusewireClient
  readonly connected: Connected[] = []
  /** The transport of each connection. */
  readonly transports: (string | undefined)[] = []
  readonly subscribed: SubscribedEvent[] = []
  readonly publications: { readonly offset: number; readonly data: unknown }[] = []
  readonly errors: string[] = []
  readonly #channel

  constructor(channel: string, { endpoint, msgpack, ...options }: RecordedClientOptions) {
    this.client = new FusewireClient(endpoint, {
      minBackoffMs: 50,
      maxBackoffMs: 200,
      // The tests cut lines for as long as they like.
      maxAttempts: 1000,
      ...(msgpack && { codec: msgpackCodec }),
      ...options,
    })
    this.client.on('message', (message) => message.type === 'connected' && this.connected.push(message))
    this.client.on('connection', ({ status, transport }) => status === 'connected' && this.transports.push(transport))
    this.client.on('error', (error) => this.errors.push(String(error)))
    this.#channel = this.client.channel(channel)
    this.#channel.on('subscribed', (event) => this.subscribed.push(event))
    this.#channel.on('publication', ({ offset, data }) => this.publications.push({ offset, data }))
    this.#channel.on('error', (error) => this.errors.push(String(error)))
  }

  async start(): Promise<void> {
    await this.#channel.subscribe()
  }

  /** Publishes these one after another, without waiting in between; resolves when the server has all of them. */
  async publish(...data: readonly unknown[]): Promise<void> {
    await Promise.all(data.map((each) => this.#channel.publish(each)))
  }
}

/** The client that was opened last: what has a handle on it outside loses it when the page is left, even for a while. */
export let newestClient: RecordedClient

export const openClient = (channel: string, options: RecordedClientOptions = {}): RecordedClient => {
  newestClient = new RecordedClient(channel, options)
  return newestClient
}
