import type { ClientMessage, Connect, Connected, ServerMessage } from '@fusewire/protocol'
import type { BackoffBounds } from '../backoff.ts'
import type { ClientError } from '../client-error.ts'
import { present } from '../wire/present.ts'
import { Heartbeat } from './heartbeat.ts'
import { errorOf, type RequestLimits, Requests } from './requests.ts'
import { Subscriptions } from './subscriptions.ts'
import { TokenKeeper, type TokenSource } from './token-keeper.ts'

export interface SessionOptions extends RequestLimits, TokenSource, BackoffBounds {
  readonly name?: string | undefined
  readonly version?: string | undefined
}

/** What the session asks of the client around it, and tells it. */
export interface SessionHost {
  /** @throws when the message cannot be encoded. */
  readonly send: (message: ClientMessage) => void
  /** Nothing has come back for too long. */
  readonly lose: () => void
  readonly latency: (latencyMs: number) => void
  readonly report: (error: ClientError) => void
}

/** The client's stay with the server, over any number of connections: what is asked, what is subscribed, and who it is. */
export class Session {
  readonly requests: Requests
  readonly subscriptions: Subscriptions
  readonly tokens: TokenKeeper
  readonly heartbeat: Heartbeat
  readonly #options: SessionOptions
  readonly #host: SessionHost
  /** The last `connected`, while there is something to resume. */
  #connected: Connected | undefined

  constructor(options: SessionOptions, host: SessionHost) {
    this.#options = options
    this.#host = host
    this.requests = new Requests(options)
    this.subscriptions = new Subscriptions(this.requests, options)
    this.heartbeat = new Heartbeat(() => host.send({ type: 'ping' }), host.lose)
    this.tokens = new TokenKeeper(options, (token) => this.requests.refresh(token), host.report)
  }

  get info(): Connected | undefined {
    return this.#connected
  }

  hello(): Connect {
    const { name, version } = this.#options
    const { token } = this.tokens
    return present({
      type: 'connect' as const,
      token,
      resume: this.#connected?.resume,
      name,
      version,
      subscriptions: this.subscriptions.hello(),
    })
  }

  connected(message: Connected): void {
    const { send } = this.#host
    this.#connected = message
    this.tokens.accepted(message.expiresAt)
    this.heartbeat.start(message.pingIntervalMs, message.pongTimeoutMs)
    this.subscriptions.connected(send)
    this.requests.connected(send, message.sessionTtlMs)
  }

  receive(message: ServerMessage): void {
    this.heartbeat.heard()
    this.subscriptions.receive(message)
    const isAnswer = this.requests.answer(message)
    // One with an id answers a request, which may have been given up meanwhile.
    if (message.type === 'error' && !message.id) this.#host.report(errorOf(message))
    if (message.type !== 'pong' || isAnswer) return
    const latencyMs = this.heartbeat.pong()
    if (latencyMs !== undefined) this.#host.latency(latencyMs)
  }

  lost(): void {
    this.heartbeat.stop()
    this.tokens.pause()
    this.subscriptions.lost()
    this.requests.lost()
  }

  /** The client stops, by wish or for good reason. The next connection begins a new session. */
  stop(reason: ClientError): void {
    this.#connected = undefined
    this.subscriptions.stop(reason)
    this.requests.stop(reason)
  }
}
