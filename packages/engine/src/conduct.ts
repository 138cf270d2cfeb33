import { type ClientMessage, type DisconnectCode, type ErrorCode, FusewireError } from '@fusewire/protocol'
import { type Excess, type RateLimits, RateMeter } from './rate-meter.ts'
import type { Session } from './session.ts'
import type { Counters, EngineLimitName } from './stats.ts'

/** The connection whose client a {@link Conduct} is about. */
export interface ConductHost {
  end(code: DisconnectCode, reason?: string, retryAfterMs?: number): void
}

/** What tells the client what it has done wrong. */
export interface Complaints {
  /** Answers input that could not be accepted. */
  reject(error: FusewireError): void
  /** Answers a message that is refused. */
  refuse(message: ClientMessage, error: FusewireError): void
}

export type ConductLimits = RateLimits & {
  /** Messages of one connection that could not be accepted, before it is closed. Default 10. */
  readonly maxBadMessages: number
}

export interface ConductPorts {
  readonly now: () => number
  readonly limits: ConductLimits
  readonly counters: Counters
}

/** What a client may get wrong and how much it may send: beyond that it is told so, and beyond that its connection ends. */
export class Conduct {
  readonly #host: ConductHost
  readonly #complaints: Complaints
  readonly #ports: ConductPorts
  /** Of this connection, and of its session once it has one. */
  #meter: RateMeter
  #badMessages = 0

  constructor(host: ConductHost, complaints: Complaints, ports: ConductPorts) {
    this.#host = host
    this.#complaints = complaints
    this.#ports = ports
    this.#meter = new RateMeter(ports.limits, ports.now())
  }

  /** The rates of the session are those of all of its connections. */
  belongTo(session: Session): void {
    session.meter ??= this.#meter
    this.#meter = session.meter
  }

  /** Counts a message, and answers whether it may have an effect. */
  admits(message: ClientMessage, bytes: number): boolean {
    const excess = this.#meter.count(bytes, this.#ports.now())
    // Nobody is kept from leaving.
    if (!excess || message.type === 'disconnect') return true
    const error = new FusewireError('rate_limited', `more than ${excess.limit} allows`, { retryAfterMs: excess.retryAfterMs })
    this.#complaints.refuse(message, error)
    this.#slowDown(excess)
    return false
  }

  /** A sign of life: costs as much as a message, and cannot be refused. */
  alive(): void {
    const excess = this.#meter.count(0, this.#ports.now())
    if (excess) this.#slowDown(excess)
  }

  /** Input that could not be accepted. */
  bad(error: FusewireError): void {
    const limit = LIMIT_OF[error.code]
    if (limit) this.#ports.counters.refuse(limit)
    if (error.code === 'wrong_frame_type') {
      // Nothing that this client will ever send can be read.
      this.#host.end(error.code)
      return
    }
    this.#complaints.reject(error)
    if (++this.#badMessages < this.#ports.limits.maxBadMessages) return
    this.#ports.counters.refuse('maxBadMessages')
    this.#host.end('malformed_message', 'too many messages could not be accepted')
  }

  #slowDown({ limit, retryAfterMs, isIgnored }: Excess): void {
    this.#ports.counters.refuse(limit)
    if (!isIgnored) return
    this.#ports.counters.refuse('maxRateLimited')
    this.#host.end('rate_limited', `went on after maxRateLimited refusals for ${limit}`, retryAfterMs)
  }
}

/** The limits that codecs keep. */
const LIMIT_OF: Partial<Record<ErrorCode, EngineLimitName>> = {
  message_too_large: 'maxMessageBytes',
  message_too_deep: 'maxDepth',
}
