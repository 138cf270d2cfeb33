import type { Connected, HistoryResult, PresenceResult, PublishResult, ServerMessage } from '@fusewire/protocol'
import { Channel, type ChannelHost, type ChannelOptions } from './channel.ts'
import { type ClientError, closed } from './client-error.ts'
import { type ConnectionInfo, connectionInfo } from './connection-info.ts'
import type { ConnectionState } from './connection-state.ts'
import { Connector } from './connector.ts'
import { Emitter } from './emitter.ts'
import { lineFailure } from './failure.ts'
import { type ClientOptions, readEndpoints, withDefaults } from './options.ts'
import { watchPage } from './page-events.ts'
import { findPlatform } from './platform.ts'
import type { TransportName } from './routes.ts'
import type { Request } from './session/requests.ts'
import { Session } from './session/session.ts'

export interface ClientEvents {
  /** Something about {@link FusewireClient.connection} other than the latency has changed. */
  connection: ConnectionInfo
  /** What nobody else is told: the client has stopped for good reason or the server sent what makes no sense. */
  error: ClientError
  /** Every message of the server, as it came. */
  message: ServerMessage
  /** Round trip of a heartbeat, in milliseconds. */
  latency: number
}

/** Why nothing more comes of this connection, unless `connect` begins anew. */
const endOf = (state: ConnectionState): ClientError | undefined => {
  if (state.name === 'closing') return closed()
  return state.name === 'closed' ? (state.error ?? closed()) : undefined
}

/** One client: a connection that mends itself, and the channels on it. */
export class FusewireClient {
  /** What a channel needs of this client. */
  protected readonly channels: ChannelHost
  readonly #maxAttempts: number
  readonly #events = new Emitter<ClientEvents>()
  readonly #session: Session
  readonly #connector: Connector
  /** 64 random bits. `getRandomValues` is there in insecure contexts as well, where `randomUUID` is not. */
  readonly #keyPrefix = crypto.getRandomValues(new Uint32Array(2)).join('-')
  #lastKey = 0
  #latencyMs: number | undefined
  #unwatchPage: (() => void) | undefined
  /** Those who wait for `connect`. */
  #waiters: { readonly resolve: (connected: Connected) => void; readonly reject: (error: ClientError) => void }[] = []

  /**
   * @param endpoints Where the server is: `https://host`, or several to fail over to. Default in browsers: the page's origin.
   * @throws TypeError for an endpoint that is no URL.
   */
  constructor(endpoints?: string | URL | readonly (string | URL)[], options: ClientOptions = {}) {
    const settings = withDefaults(options)
    this.#maxAttempts = settings.maxAttempts
    this.#session = new Session(settings, {
      send: (message) => this.#connector.send(message),
      lose: () => this.#connector.lose(lineFailure('no answer within pongTimeoutMs')),
      latency: (latencyMs) => {
        this.#latencyMs = latencyMs
        this.#events.emit('latency', latencyMs)
      },
      report: (error) => this.#report(error),
    })
    const { tokens, heartbeat, subscriptions } = this.#session
    const policy = { ...settings, renewable: tokens.isRenewable }
    this.#connector = new Connector({ ...settings, endpoints: readEndpoints(endpoints), policy }, findPlatform(options), {
      authorize: (isRefused) => {
        if (isRefused) tokens.forget()
        return tokens.obtain()
      },
      hello: () => this.#session.hello(),
      connected: (message) => {
        this.#session.connected(message)
        this.#events.emit('message', message)
      },
      receive: (message) => {
        this.#events.emit('message', message)
        this.#session.receive(message)
      },
      lost: () => this.#session.lost(),
      report: (error) => this.#report(error),
      check: () => heartbeat.check(),
      changed: (state) => this.#changed(state),
    })
    this.channels = {
      subscriptions,
      wake: () => this.#wake(),
      publish: (channel, data, { key = `${this.#keyPrefix}-${++this.#lastKey}`, ...options }) =>
        this.#ask<PublishResult>({ type: 'publish', channel, data: data ?? null, key, ...options }, true),
      history: (channel, options) => this.#ask<HistoryResult>({ type: 'history', channel, ...options }, true),
      presence: (channel) => this.#ask<PresenceResult>({ type: 'presence', channel }, true),
    }
  }

  /** How the connection is now. */
  get connection(): ConnectionInfo {
    return connectionInfo(this.#connector.state, this.#maxAttempts, this.#session.info, this.#latencyMs)
  }

  /** Listens; returns what takes the listener off. */
  on<Type extends keyof ClientEvents>(type: Type, listener: (event: ClientEvents[Type]) => void): () => void {
    return this.#events.on(type, listener)
  }

  /**
   * Connects, and stays connected until `close`. Everything that needs a connection does this by itself.
   * @throws {@link ClientError} when the attempts are used up (the client probes on), or trying again does not help.
   */
  connect(): Promise<Connected> {
    const { info } = this.#session
    if (this.#connector.state.name === 'connected' && info) return Promise.resolve(info)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#connector.dispatch({ type: 'connect' })
    })
  }

  /** Leaves: the session ends at once, and what waits is rejected with `closed`. Channels stay listed for a later `connect`. */
  close(): Promise<void> {
    return this.#connector.close()
  }

  /** A channel by its name; channels with the same name share one subscription. */
  channel<Message = unknown, Info = unknown>(name: string, options: ChannelOptions = {}): Channel<Message, Info> {
    return new Channel(name, options, this.channels)
  }

  /** Calls a handler of the embedding program. Not repeated when the line is cut after it was sent: `connection_lost`. */
  rpc<Answer = unknown>(method: string, data?: unknown): Promise<Answer> {
    return this.#ask<Answer>({ type: 'rpc', method, data }, false)
  }

  /** Measures a round trip, in milliseconds. */
  async ping(): Promise<number> {
    const from = performance.now()
    await this.#ask({ type: 'ping' }, false)
    return performance.now() - from
  }

  /** Connects over this transport alone from now on, or with `auto` over the first that works. What is subscribed goes on without a gap. */
  useTransport(name: TransportName | 'auto'): void {
    this.#connector.reroute(name === 'auto' ? undefined : [name])
  }

  /** Drops the line as a failing network would, for demonstrations and tests: the client comes back and resumes. */
  interrupt(): void {
    this.#connector.lose(lineFailure('the line was cut'))
  }

  /** Resolves to what the server answers, which is taken at its word. */
  async #ask<Answer>(request: Request, isRepeatable: boolean): Promise<Answer> {
    this.#wake()
    const answer = await this.#session.requests.request(request, isRepeatable)
    return (answer.type === 'result' ? answer.data : undefined) as Answer
  }

  /** @throws {@link ClientError} after `close`. */
  #wake(): void {
    const { state } = this.#connector
    const end = endOf(state)
    if (end) throw end
    // A moment later, so that what is subscribed in one breath goes out with the connect.
    if (state.name === 'idle')
      queueMicrotask(() => this.#connector.state.name === 'idle' && this.#connector.dispatch({ type: 'connect' }))
  }

  #changed(state: ConnectionState): void {
    const { name } = state
    const { info } = this.#session
    if (name === 'connected' && info) for (const { resolve } of this.#waiters.splice(0)) resolve(info)
    if (name === 'degraded') this.#refuse(state.error)
    const end = endOf(state)
    if (end) {
      this.#session.stop(end)
      this.#refuse(end)
    }
    this.#watchPage(name !== 'idle' && !end)
    this.#events.emit('connection', this.connection)
    if (name === 'closed' && state.error) this.#report(state.error)
  }

  #refuse(error: ClientError): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error)
  }

  #watchPage(isActive: boolean): void {
    if (!isActive) {
      this.#unwatchPage?.()
      this.#unwatchPage = undefined
      return
    }
    this.#unwatchPage ??= watchPage((type) => {
      if (type !== 'offline') this.#connector.dispatch({ type })
      else if (this.#connector.state.name === 'connected') this.#connector.dispatch({ type: 'doubt' })
    })
  }

  /** An error that nobody listens for is shown where developers look. */
  #report(error: ClientError): void {
    if (this.#events.has('error')) this.#events.emit('error', error)
    else console.error(error)
  }
}
