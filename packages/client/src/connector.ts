import type { ClientMessage, Connected, ServerMessage } from '@fusewire/protocol'
import { createOwnPlatform } from '#own-platform'
import { Alarm } from './alarm.ts'
import { ClientError } from './client-error.ts'
import { type ConnectionEvent, type ConnectionPolicy, type ConnectionState, type Effect, transition } from './connection-state.ts'
import { Failure, lineFailure, messageFailure } from './failure.ts'
import type { OwnPlatform } from './own-platform.ts'
import type { Platform } from './platform.ts'
import { planRound, type Route, type TransportName } from './routes.ts'
import { openPoll } from './transports/poll.ts'
import { openSse } from './transports/sse.ts'
import { openStream } from './transports/stream.ts'
import type { OpenTransport, Transport, TransportRequest } from './transports/transport.ts'
import { openWebSocket } from './transports/websocket.ts'
import { accept } from './wire/accept.ts'
import { json, type WireCodec } from './wire/json.ts'

/** What the connector asks of the session that it connects, and tells it. */
export interface ConnectorHost {
  /** Gets a token where one is needed, a new one when the last was refused. Rejects with a {@link Failure}. */
  authorize(isRefused: boolean): void | Promise<void>
  /** The first message of a connection. */
  hello(): ClientMessage
  connected(message: Connected): void
  receive(message: ServerMessage): void
  /** The connection that was made, or asked for by `hello`, is given up. Idempotent. */
  lost(): void
  /** Something came that makes no sense, and was left out. */
  report(error: ClientError): void
  /** The line is in doubt. */
  check(): void
  changed(state: ConnectionState): void
}

/** What of the platform was given is used for every connection. */
export interface ConnectorOptions extends Platform {
  readonly endpoints: readonly string[]
  readonly transports: readonly TransportName[]
  readonly codec: WireCodec
  readonly policy: ConnectionPolicy
}

const OPEN: Record<TransportName, OpenTransport> = { websocket: openWebSocket, stream: openStream, sse: openSse, poll: openPoll }

/** Keeps one connection alive: runs the state machine on real timers and transports. */
export class Connector {
  readonly #options: ConnectorOptions
  readonly #platform: Platform
  readonly #host: ConnectorHost
  readonly #alarm = new Alarm(() => this.dispatch({ type: 'wake' }))
  /** Events that wait, each as what it does. */
  readonly #events: (() => void)[] = []
  /** What has worked, by endpoint. */
  readonly #worked = new Map<string, TransportName>()
  #transports: readonly TransportName[]
  /** The endpoint that the next round begins with. */
  #first = 0
  #state: ConnectionState = { name: 'idle' }
  #transport: Transport | undefined
  /** The platform that this connection has for itself, and whether the next shall have one. */
  #own: OwnPlatform | undefined
  #wantsOwn = false
  /** Changes when what was begun is dropped: its late events are then known for what they are. */
  #turn = {}
  #closing: Promise<unknown> | undefined
  #running = false

  constructor(options: ConnectorOptions, platform: Platform, host: ConnectorHost) {
    this.#options = options
    this.#transports = options.transports
    this.#platform = platform
    this.#host = host
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** @throws when the message cannot be encoded. */
  send(message: ClientMessage): void {
    this.#transport?.send(message)
  }

  /** Connects over these transports from now on; a connection over another one is given up. */
  reroute(transports: readonly TransportName[] = this.#options.transports): void {
    this.#transports = transports
    // A transport that was forced is no proof against a better one.
    this.#worked.clear()
    this.dispatch({ type: 'reroute' })
  }

  /** Ends the session for good; resolves when the server has been told, or cannot be. */
  async close(): Promise<void> {
    this.dispatch({ type: 'close' })
    // When called by a listener, the event waits for the end of the one that is being told.
    await undefined
    await this.#closing
  }

  /** Treats the connection, if there is one, as cut. */
  lose(failure: Failure): void {
    if (this.#transport) this.dispatch({ type: 'failed', failure }, this.#guard())
  }

  /** Events that happen inside of others wait for them, and are left out when they are no longer `isCurrent`. */
  dispatch(event: ConnectionEvent, isCurrent?: () => boolean): void {
    this.#events.push(() => {
      if (isCurrent?.() ?? true) this.#step(event)
    })
    if (this.#running) return
    this.#running = true
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) next()
    } finally {
      this.#running = false
    }
  }

  #step(event: ConnectionEvent): void {
    const before = this.#state
    const { state, effects } = transition(before, event, { now: Date.now(), random: Math.random(), policy: this.#options.policy })
    this.#state = state
    if (state !== before) this.#alarm.set('wakeAt' in state ? state.wakeAt : Number.POSITIVE_INFINITY)
    for (const effect of effects) this.#effects[effect]()
    if (state === before) return
    if (state.name === 'waiting' || state.name === 'degraded') this.#first++
    this.#host.changed(state)
  }

  readonly #effects: Record<Effect, () => void> = {
    authorize: () => this.#authorize(),
    open: () => this.#open(),
    drop: () => this.#drop(),
    check: () => this.#host.check(),
  }

  #authorize(): void {
    const isCurrent = this.#guard()
    const { attempt, error } = this.#state as { attempt: number; error?: Partial<Failure> }
    const authorized = (): void => {
      const transports = this.#transports.filter((name) => this.#isAvailable(name))
      const routes = planRound(this.#options.endpoints, transports, this.#worked, attempt, this.#first)
      if (routes[0]) this.dispatch({ type: 'authorized', routes }, isCurrent)
      else failed(new Failure('fatal', 'unsupported_transport', `this platform has no ${this.#transports}`))
    }
    const failed = (failure: Failure): void => this.dispatch({ type: 'failed', failure }, isCurrent)
    const pending = this.#host.authorize(error?.kind === 'authentication')
    if (pending) pending.then(authorized, failed)
    else authorized()
  }

  #isAvailable(name: TransportName): boolean {
    const { WebSocket, EventSource, fetch } = this.#platform
    return Boolean(name === 'websocket' ? WebSocket : name === 'sse' ? EventSource && fetch : fetch)
  }

  #open(): void {
    if (this.#state.name !== 'connecting') return
    const { endpoint, transport } = this.#state.routes[0] as Route
    const codec = transport === 'websocket' ? this.#options.codec : json
    const isCurrent = this.#guard()
    this.#own = this.#wantsOwn ? createOwnPlatform(this.#options) : undefined
    // An attempt that fails is followed by one of the other kind.
    this.#wantsOwn = !this.#own
    const failed = (failure: Failure): void => this.dispatch({ type: 'failed', failure }, isCurrent)
    try {
      this.#transport = OPEN[transport]({
        endpoint,
        codec,
        platform: (this.#own?.platform ?? this.#platform) as TransportRequest['platform'],
        hello: () => this.#host.hello(),
        listener: { receive: (payload) => isCurrent() && this.#read(codec, payload, isCurrent), closed: failed },
      })
    } catch (cause) {
      failed(lineFailure(`the platform refused ${transport}`, cause))
    }
  }

  #drop(): void {
    const transport = this.#transport
    const own = this.#own
    const isWish = this.#state.name === 'closing'
    this.#turn = {}
    this.#transport = undefined
    this.#own = undefined
    const isCurrent = this.#guard()
    // One that is being told already is waited for as well.
    const closing = Promise.resolve(transport?.close(isWish ? { type: 'disconnect' } : undefined)).finally(() => own?.destroy())
    this.#closing = Promise.all([this.#closing, closing]).then(() => isWish && this.dispatch({ type: 'told' }, isCurrent))
    this.#host.lost()
  }

  #read(codec: WireCodec, payload: string | Uint8Array, isCurrent: () => boolean): void {
    let values: unknown[] = []
    try {
      values = codec.decode(payload, Number.POSITIVE_INFINITY)
    } catch (cause) {
      this.#garbled(cause)
    }
    // A listener, or one of the messages, may end the connection.
    for (const value of values) if (isCurrent()) this.#receive(value)
  }

  #receive(value: unknown): void {
    let message: ServerMessage
    try {
      message = accept(value)
    } catch (cause) {
      this.#garbled(cause)
      return
    }
    const isConnecting = this.#state.name === 'connecting'
    if (message.type === 'open') this.#transport?.opened?.(message.connection)
    else if (message.type === 'disconnect' || (isConnecting && message.type === 'error')) this.lose(messageFailure(message))
    else if (!isConnecting) this.#host.receive(message)
    else if (message.type === 'connected') this.#connected(message)
  }

  #connected(message: Connected): void {
    const { endpoint, transport } = (this.#state as { routes: readonly Route[] }).routes[0] as Route
    this.#worked.set(endpoint, transport)
    // Once this line is lost, the connections that the platform shares may be as dead.
    this.#wantsOwn = true
    this.#first = this.#options.endpoints.indexOf(endpoint)
    this.#host.connected(message)
    this.dispatch({ type: 'connected' }, this.#guard())
  }

  #garbled(cause: unknown): void {
    const message = `not a message: ${(cause as Error).message}`
    this.#host.report(new ClientError('malformed_message', message, { cause }))
  }

  #guard(): () => boolean {
    const turn = this.#turn
    return () => this.#turn === turn
  }
}
