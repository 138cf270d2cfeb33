import type { FusewireError } from '@fusewire/protocol'
import { createInbox, type Msg, type MsgHdrs, type NatsConnection, type Payload } from '@nats-io/transport-node'
import { within } from '../../within.ts'
import { NoRespondersError, unavailable } from './nats-error.ts'
import { type PendingRequest, PendingRequests } from './pending-requests.ts'

/** Counts what was asked of the server; times are milliseconds. */
export interface CallMeter {
  answered(call: string, ms: number): void
  failed(call: string): void
}

export interface NatsSessionOptions {
  /** How the server is called in errors. */
  readonly name: string
  /** For each answer, in milliseconds. */
  readonly timeoutMs: number
  readonly meter?: CallMeter
}

/** What may wait for its answer, in bytes: a server that stands still must not fill our memory. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024

const NO_RESPONDERS = 503

/**
 * One connection to one server, which is never connected again: whatever is under way when it ends fails at once, and nothing is sent
 * later than its caller believes.
 */
export class NatsSession {
  readonly connection: NatsConnection
  readonly name: string
  readonly ended: Promise<FusewireError>
  readonly #timeoutMs: number
  readonly #meter: CallMeter | undefined
  readonly #inbox = createInbox()
  readonly #pending = new PendingRequests()
  readonly #pinger: NodeJS.Timeout
  /** Of the request whose time is over first. One timer for each would cost more than the rest of a request. */
  #alarm: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined
  #end: (reason: FusewireError) => void = () => undefined
  #reason: FusewireError | undefined
  /** What the server has refused last: the reason why something is not answered. */
  #violation: Error | undefined

  constructor(connection: NatsConnection, { name, timeoutMs, meter }: NatsSessionOptions) {
    this.connection = connection
    this.name = name
    this.#timeoutMs = timeoutMs
    this.#meter = meter
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    void connection
      .closed()
      .then((error) => this.end(unavailable(`the connection to NATS at ${name} has ended`, error ?? undefined)))
    this.subscribe(`${this.#inbox}.*`, (message) => this.#answered(message))
    void this.#watch()
    this.#pinger = setInterval(() => void this.#ping(), Math.max(500, timeoutMs / 2))
  }

  /** Largest message that the server takes, headers included, in bytes. */
  get maxPayload(): number {
    return this.connection.info?.max_payload ?? 1_048_576
  }

  get isOpen(): boolean {
    return this.#reason === undefined
  }

  /** `callback` hears every message of the subject, in the order in which the server sends them, until the answer is called. */
  subscribe(subject: string, callback: (message: Msg) => void): () => void {
    this.#assertOpen()
    const subscription = this.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error) return
        try {
          callback(message)
        } catch (failure) {
          // The client library would stop reading without a word.
          this.end(unavailable(`what NATS at ${this.name} has sent could not be taken`, failure))
        }
      },
    })
    return () => {
      if (this.isOpen) subscription.unsubscribe()
    }
  }

  /** Sends without knowing whether it arrives. Throws `broker_unavailable` when the connection has ended. */
  publish(subject: string, payload: Payload, headers?: MsgHdrs): void {
    this.#assertOpen()
    this.connection.publish(subject, payload, headers && { headers })
  }

  /**
   * Asks, and gives the first answer. Rejects with {@link NoRespondersError} when nobody listens, and with `broker_unavailable` when the
   * time is over or the connection ends: then nobody knows whether it was carried out.
   */
  request(subject: string, payload: Uint8Array, headers?: MsgHdrs, timeoutMs = this.#timeoutMs): Promise<Msg> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      const { length: bytes } = payload
      if (this.#pending.bytes + bytes > MAX_PENDING_BYTES)
        throw unavailable(`NATS at ${this.name} is behind: ${this.#pending.bytes} bytes wait for its answers`)
      const sentAt = performance.now()
      const token = this.#pending.add({ call: callOf(subject), sentAt, timeoutMs, bytes, resolve, reject })
      try {
        this.connection.publish(subject, payload, { reply: `${this.#inbox}.${token}`, ...(headers && { headers }) })
      } catch (error) {
        this.#pending.take(token)
        throw error
      }
      this.#alarmAt(sentAt + timeoutMs)
    })
  }

  /** Settles when the server has taken everything that was sent before. */
  async flush(): Promise<void> {
    this.#assertOpen()
    try {
      await within(this.connection.flush(), this.#timeoutMs, () => {
        throw this.#late(this.#timeoutMs)
      })
    } catch (error) {
      throw this.#reason ?? unavailable(`NATS at ${this.name} has not answered`, error)
    }
  }

  /** Ends it for a reason, which whatever is under way fails with. Idempotent. */
  end(reason: FusewireError): void {
    if (this.#reason) return
    this.#reason = reason
    clearInterval(this.#pinger)
    clearTimeout(this.#alarm?.timer)
    for (const request of this.#pending) this.#fail(request, reason)
    // Waiting for a server that stands still would never end.
    void this.connection.close()
    this.#end(reason)
  }

  #assertOpen(): void {
    if (this.#reason) throw this.#reason
  }

  #answered(message: Msg): void {
    const request = this.#pending.take(message.subject.slice(this.#inbox.length + 1))
    if (!request) return
    if (message.data.length === 0 && message.headers?.code === NO_RESPONDERS) {
      this.#meter?.failed(request.call)
      request.reject(new NoRespondersError())
      return
    }
    this.#meter?.answered(request.call, performance.now() - request.sentAt)
    request.resolve(message)
  }

  #fail({ token, call, reject }: PendingRequest, error: Error): void {
    this.#pending.take(token)
    this.#meter?.failed(call)
    reject(error)
  }

  #alarmAt(at: number): void {
    if (this.#alarm && this.#alarm.at <= at) return
    clearTimeout(this.#alarm?.timer)
    this.#alarm = { at, timer: setTimeout(() => this.#failLate(), Math.max(0, at - performance.now())) }
  }

  #failLate(): void {
    this.#alarm = undefined
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const request of this.#pending) {
      const { sentAt, timeoutMs } = request
      if (sentAt + timeoutMs <= now) this.#fail(request, this.#late(timeoutMs))
      else next = Math.min(next, sentAt + timeoutMs)
    }
    if (next < Number.POSITIVE_INFINITY) this.#alarmAt(next)
  }

  #late(timeoutMs: number): FusewireError {
    const refusal = this.#violation ? `: ${this.#violation.message}` : ''
    return unavailable(`NATS at ${this.name} has not answered within ${Math.round(timeoutMs)} ms${refusal}`, this.#violation)
  }

  /** Finds out about a server that stands still while its connection seems to be well. */
  async #ping(): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      this.end(unavailable(`NATS at ${this.name} does not answer`, error))
    }
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) if (status.type === 'error') this.#violation = status.error
  }
}

/** What a request is counted as. */
const callOf = (subject: string): string => {
  if (subject.startsWith('$KV.')) return 'kv_put'
  if (!subject.startsWith('$JS.API.')) return 'append'
  if (subject.startsWith('$JS.API.STREAM.MSG.GET.') || subject.startsWith('$JS.API.DIRECT.GET.')) return 'get'
  return subject.startsWith('$JS.API.STREAM.MSG.DELETE.') ? 'delete' : 'manage'
}
