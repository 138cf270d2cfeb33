import {
  type ClientMessage,
  closeAction,
  type DisconnectCode,
  ERRORS,
  type ErrorMessage,
  FusewireError,
  MessageError,
  type ServerMessage,
} from '@fusewire/protocol'
import type { Handshake } from './handshake.ts'
import type { Log } from './log.ts'
import type { Connection } from './ports/connection.ts'
import type { Peer } from './ports/peer.ts'
import type { Session, SessionLink } from './session.ts'
import type { SessionRequests } from './session-requests.ts'
import type { Sessions } from './sessions.ts'
import type { Counters } from './stats.ts'
import type { Timed, TimerWheel } from './timer-wheel.ts'

export interface PeerLimits {
  /** How often a client is expected to send a heartbeat, in milliseconds. Default 25,000. */
  readonly pingIntervalMs: number
  /** How late a heartbeat may be, in milliseconds. Default 5,000. */
  readonly pongTimeoutMs: number
  /** How long a connection may stay without any message, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs: number
  /** Messages of one connection that could not be accepted, before it is closed. Default 10. */
  readonly maxBadMessages: number
  /** Requests of one connection that wait for their turn or their answer. Default 256. */
  readonly maxPendingRequests: number
}

export interface PeerPorts {
  readonly now: () => number
  readonly handshake: Handshake
  readonly requests: SessionRequests
  readonly sessions: Sessions
  readonly counters: Counters
  readonly limits: PeerLimits
  readonly log: Log
  readonly wheel: TimerWheel
  /** Called once when the peer has ended. */
  readonly onClosed: (peer: ClientPeer) => void
}

/**
 *     fresh ──connect accepted──▶ connected
 *       └───────────┬────────────────┘
 *                   ▼ closed by either side
 *                 closed
 */
type State = { readonly kind: 'fresh' } | { readonly kind: 'connected'; readonly session: Session } | { readonly kind: 'closed' }

/**
 * One connection as the engine sees it: hands messages on in their order, answers heartbeats, counts what is wrong, and ends what
 * is silent.
 *
 * `connect`, `subscribe` and `refresh` change what later messages may do, so those wait for them; everything else is started in
 * order and answered when it is done.
 */
export class ClientPeer implements Peer, SessionLink, Timed {
  readonly connection: Connection
  readonly #ports: PeerPorts
  #state: State = { kind: 'fresh' }
  #heardAt: number
  /** A client that pings is held to its heartbeat; one that never does is probed. */
  #heartbeat: 'none' | 'client' = 'none'
  #silent = true
  #badMessages = 0
  #pendingRequests = 0
  /** Messages behind one that must be finished first; undefined when nothing blocks. */
  #waiting: ClientMessage[] | undefined

  constructor(connection: Connection, ports: PeerPorts) {
    this.connection = connection
    this.#ports = ports
    const now = ports.now()
    this.#heardAt = now
    ports.wheel.schedule(this, now + ports.limits.connectTimeoutMs)
  }

  receive(message: ClientMessage): void {
    if (this.#state.kind === 'closed') return
    this.#heardAt = this.#ports.now()
    this.#silent = false
    this.#ports.counters.messagesIn[message.type]++
    if (!this.#waiting) this.#handle(message)
    else if (this.#waiting.length < this.#ports.limits.maxPendingRequests) this.#waiting.push(message)
    else this.#refuse(message, new FusewireError('overloaded', 'too many requests wait for their turn'))
  }

  reject(error: FusewireError): void {
    if (this.#state.kind === 'closed') return
    this.#heardAt = this.#ports.now()
    this.#silent = false
    this.send(this.#errorMessage(error, error instanceof MessageError ? { id: error.id } : {}))
    if (++this.#badMessages >= this.#ports.limits.maxBadMessages)
      this.end('malformed_message', 'too many messages could not be accepted')
  }

  alive(): void {
    if (this.#heartbeat === 'none') this.#heardAt = this.#ports.now()
  }

  closed(): void {
    const state = this.#state
    if (state.kind === 'closed') return
    this.#state = { kind: 'closed' }
    this.#waiting = undefined
    this.#ports.wheel.cancel(this)
    if (state.kind === 'connected') this.#ports.sessions.detach(state.session, this)
    this.#ports.onClosed(this)
  }

  send(message: ServerMessage): void {
    this.connection.send(this.connection.format.encode(message))
  }

  end(code: DisconnectCode, reason: string = ERRORS[code].help): void {
    const state = this.#state
    if (state.kind === 'closed') return
    const { closeCode } = ERRORS[code]
    const action = closeAction(closeCode)
    this.send({ type: 'disconnect', code, closeCode, reason, reconnect: action !== 'stop' })
    this.#ports.counters.disconnect(code)
    this.#ports.log('client_disconnected', {
      code,
      reason,
      transport: this.connection.transport,
      remoteAddress: this.connection.remoteAddress,
    })
    this.connection.close(code, reason)
    // A client that is told to stop does not come back for its session, except where another connection of it has.
    if (state.kind === 'connected' && state.session.link === this && action === 'stop') this.#ports.sessions.end(state.session)
    this.closed()
  }

  due(now: number): number | undefined {
    if (this.#state.kind === 'closed') return undefined
    const { pingIntervalMs, pongTimeoutMs } = this.#ports.limits
    if (this.#silent && !this.#waiting && this.#state.kind === 'fresh') {
      this.end('connect_timeout')
      return undefined
    }
    if (this.#state.kind === 'connected' && this.#isExpired(this.#state.session, now)) {
      this.end('token_expired')
      return undefined
    }
    const deadline = this.#heardAt + pingIntervalMs + pongTimeoutMs
    if (now >= deadline) {
      this.end('heartbeat_timeout')
      return undefined
    }
    const probeAt = this.#heardAt + pingIntervalMs
    if (this.#heartbeat === 'client' || !this.connection.probe) return this.#nextDeadline(deadline)
    if (now < probeAt) return this.#nextDeadline(probeAt)
    this.connection.probe()
    return this.#nextDeadline(deadline)
  }

  /** The session's token may end before the next heartbeat. */
  #nextDeadline(deadline: number): number {
    const expiresAt = this.#state.kind === 'connected' ? this.#state.session.identity.expiresAt : undefined
    return expiresAt === undefined ? deadline : Math.min(deadline, expiresAt)
  }

  #isExpired({ identity: { expiresAt } }: Session, now: number): boolean {
    return expiresAt !== undefined && expiresAt <= now
  }

  #handle(message: ClientMessage): void {
    switch (message.type) {
      case 'ping':
        this.#heartbeat = 'client'
        this.send({ type: 'pong', ...(message.id !== undefined && { id: message.id }) })
        return
      case 'echo':
        this.send(message)
        return
      case 'connect':
        this.#block(message, this.#connect(message))
        return
      case 'disconnect':
        this.#leave()
        return
      default:
        this.#request(message)
    }
  }

  #request(message: Parameters<SessionRequests['handle']>[1]): void {
    const state = this.#state
    if (state.kind !== 'connected') {
      this.#refuse(message, new FusewireError('not_connected'))
      return
    }
    if (this.#pendingRequests >= this.#ports.limits.maxPendingRequests) {
      this.#refuse(message, new FusewireError('overloaded', 'too many requests wait for their answer'))
      return
    }
    let answer: ReturnType<SessionRequests['handle']>
    try {
      answer = this.#ports.requests.handle(state.session, message)
    } catch (error) {
      this.#refuse(message, error)
      return
    }
    if (!(answer instanceof Promise)) {
      if (answer) this.send(answer)
      return
    }
    const answered = this.#answer(answer)
    if (message.type === 'subscribe' || message.type === 'refresh') this.#block(message, answered)
    else answered.catch((error: unknown) => this.#refuse(message, error))
  }

  async #answer(pending: Promise<ServerMessage | undefined>): Promise<void> {
    this.#pendingRequests++
    try {
      const answer = await pending
      if (answer && this.#state.kind !== 'closed') this.send(answer)
    } finally {
      this.#pendingRequests--
    }
  }

  async #connect(message: ClientMessage & { type: 'connect' }): Promise<void> {
    if (this.#state.kind !== 'fresh') throw new FusewireError('already_connected')
    const accepted = await this.#ports.handshake.authenticate(message)
    if (this.#state.kind !== 'fresh') return
    const session = this.#ports.handshake.attach(accepted, this)
    this.#state = { kind: 'connected', session }
    this.#ports.wheel.schedule(this, this.#nextDeadline(this.#heardAt + this.#ports.limits.pingIntervalMs))
    const failures = await this.#ports.handshake.welcome(session, this, message, accepted)
    for (const { request, error } of failures) this.#refuse({ type: 'subscribe', ...request }, error)
  }

  /** The client leaves for good: its session ends with it. */
  #leave(): void {
    const state = this.#state
    if (state.kind === 'connected') this.#ports.sessions.end(state.session)
    this.closed()
    this.connection.close('closed', ERRORS.closed.help)
  }

  /** Keeps later messages waiting until `work` is done. */
  #block(message: ClientMessage, work: Promise<void>): void {
    this.#waiting = []
    work.catch((error: unknown) => this.#refuse(message, error)).then(() => this.#unblock())
  }

  #unblock(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    while (waiting.length > 0 && this.#waiting === undefined) {
      const next = waiting.shift()
      if (next) this.#handle(next)
    }
    // One of them blocks again: the rest stays in front of what arrives meanwhile.
    const blocked = this.#waiting as ClientMessage[] | undefined
    blocked?.unshift(...waiting)
  }

  #refuse(message: ClientMessage, cause: unknown): void {
    if (this.#state.kind === 'closed') return
    const error = cause instanceof FusewireError ? cause : new FusewireError('internal_error', undefined, { cause })
    if (error.code === 'internal_error') this.#ports.log('request_failed', { type: message.type, error: cause })
    const { id } = message as { id?: number }
    const channel = 'channel' in message ? message.channel : undefined
    this.send(this.#errorMessage(error, { id, channel }))
    if (message.type !== 'connect') return
    const { code } = error
    if (code === 'token_required' || code === 'token_invalid' || code === 'token_expired') this.end(code, error.message)
  }

  #errorMessage(error: FusewireError, { id, channel }: { id?: number | undefined; channel?: string | undefined }): ErrorMessage {
    this.#ports.counters.error(error.code)
    return {
      type: 'error',
      ...(id !== undefined && { id }),
      code: error.code,
      message: error.message,
      retryable: error.retryable,
      ...(channel !== undefined && { channel }),
    }
  }
}
