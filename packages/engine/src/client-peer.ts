import {
  type ClientMessage,
  closeAction,
  type DisconnectCode,
  ERRORS,
  FusewireError,
  MessageError,
  type ServerMessage,
} from '@fusewire/protocol'
import { Backlog } from './backlog.ts'
import { errorMessage } from './error-message.ts'
import type { Handshake } from './handshake.ts'
import { Heartbeat, type HeartbeatLimits } from './heartbeat.ts'
import type { Log } from './log.ts'
import type { Connection, Frame } from './ports/connection.ts'
import type { Peer } from './ports/peer.ts'
import type { Session, SessionLink } from './session.ts'
import type { SessionRequest, SessionRequests } from './session-requests.ts'
import type { Sessions } from './sessions.ts'
import type { Counters } from './stats.ts'
import type { Timed, TimerWheel } from './timer-wheel.ts'

export interface PeerLimits extends HeartbeatLimits {
  /** How long a connection may stay without any message, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs: number
  /** Messages of one connection that could not be accepted, before it is closed. Default 10. */
  readonly maxBadMessages: number
  /** Requests of one connection that wait for their turn or their answer. Default 256. */
  readonly maxPendingRequests: number
}

/** The same for all peers of an engine. */
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
 *     silent ──anything comes──▶ fresh ──connect accepted──▶ connected
 *       └───────────────────────────┴────────────┬──────────────┘
 *                                                ▼ closed by either side
 *                                              closed
 */
type State =
  | { readonly kind: 'silent' }
  | { readonly kind: 'fresh' }
  | { readonly kind: 'connected'; readonly session: Session }
  | { readonly kind: 'closed' }

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
  readonly #heartbeat: Heartbeat
  #state: State = { kind: 'silent' }
  #badMessages = 0
  #pendingRequests = 0
  readonly #backlog = new Backlog<ClientMessage>()

  constructor(connection: Connection, ports: PeerPorts) {
    this.connection = connection
    this.#ports = ports
    const now = ports.now()
    this.#heartbeat = new Heartbeat(ports.limits, connection.probe !== undefined, now)
    this.#watch(now)
  }

  receive(message: ClientMessage): void {
    if (this.#state.kind === 'closed') return
    this.#hear()
    this.#ports.counters.messagesIn[message.type]++
    if (!this.#backlog.isBlocked) this.#handle(message)
    else if (this.#backlog.size < this.#ports.limits.maxPendingRequests) this.#backlog.push(message)
    else this.#refuse(message, new FusewireError('overloaded', 'too many requests wait for their turn'))
  }

  reject(error: FusewireError): void {
    if (this.#state.kind === 'closed') return
    this.#hear()
    if (error.code === 'wrong_frame_type') {
      // Nothing that this client will ever send can be read.
      this.end(error.code)
      return
    }
    this.#sendError(error, error instanceof MessageError ? { id: error.id } : {})
    if (++this.#badMessages >= this.#ports.limits.maxBadMessages)
      this.end('malformed_message', 'too many messages could not be accepted')
  }

  alive(): void {
    this.#heartbeat.alive(this.#ports.now())
  }

  closed(): void {
    const state = this.#state
    if (state.kind === 'closed') return
    this.#state = { kind: 'closed' }
    this.#backlog.clear()
    this.#ports.wheel.cancel(this)
    if (state.kind === 'connected') this.#ports.sessions.detach(state.session, this)
    this.#ports.onClosed(this)
  }

  /** Throws `internal_error` when the message cannot be written, and has no effect then. */
  send(message: ServerMessage): void {
    if (this.#state.kind !== 'closed') this.connection.send(this.#encode(message))
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
    // A client that is told to stop does not come back for its session, except where another connection of it has.
    if (state.kind === 'connected' && state.session.link === this && action === 'stop') this.#ports.sessions.end(state.session)
    this.closed()
    this.connection.close(code, reason)
  }

  /** The clock has leaped, and nobody knows how long the client has been silent: it gets all of its time again. */
  restartClock(now: number): void {
    this.#heartbeat.heard(now)
    this.#watch(now)
  }

  due(now: number): number | undefined {
    const end = this.#reasonToEnd(now)
    if (end) {
      this.end(end)
      return undefined
    }
    if (this.#heartbeat.isToBeAsked(now)) this.connection.probe?.()
    return this.#nextLook(now)
  }

  #hear(): void {
    this.#heartbeat.heard(this.#ports.now())
    if (this.#state.kind === 'silent') this.#state = { kind: 'fresh' }
  }

  #reasonToEnd(now: number): DisconnectCode | undefined {
    const state = this.#state
    if (state.kind === 'silent') return 'connect_timeout'
    if (state.kind === 'connected' && now >= expiryOf(state.session)) return 'token_expired'
    return this.#heartbeat.isMissed(now) ? 'heartbeat_timeout' : undefined
  }

  #watch(now: number): void {
    const next = this.#nextLook(now)
    if (next !== undefined) this.#ports.wheel.schedule(this, next)
  }

  #nextLook(now: number): number | undefined {
    const state = this.#state
    if (state.kind === 'closed') return undefined
    if (state.kind === 'silent') return now + this.#ports.limits.connectTimeoutMs
    const next = this.#heartbeat.nextLook(now)
    // The session's token may end before.
    return state.kind === 'connected' ? Math.min(next, expiryOf(state.session)) : next
  }

  #handle(message: ClientMessage): void {
    switch (message.type) {
      case 'ping':
        this.#heartbeat.pinged()
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

  #request(message: SessionRequest): void {
    const state = this.#state
    if (state.kind !== 'connected') {
      this.#refuse(message, new FusewireError('not_connected'))
      return
    }
    if (this.#pendingRequests >= this.#ports.limits.maxPendingRequests) {
      this.#refuse(message, new FusewireError('overloaded', 'too many requests wait for their answer'))
      return
    }
    try {
      const answer = this.#ports.requests.handle(state.session, message)
      if (answer instanceof Promise) this.#await(message, answer)
      else if (answer) this.send(answer)
    } catch (error) {
      this.#refuse(message, error)
    }
  }

  #await(message: SessionRequest, answer: Promise<ServerMessage | undefined>): void {
    const answered = this.#answer(answer)
    if (message.type === 'subscribe') this.#block(message, answered)
    // The new token may end sooner than anything that was waited for.
    else if (message.type === 'refresh')
      this.#block(
        message,
        answered.then(() => this.#watch(this.#ports.now())),
      )
    else answered.catch((error: unknown) => this.#refuse(message, error))
  }

  async #answer(pending: Promise<ServerMessage | undefined>): Promise<void> {
    this.#pendingRequests++
    try {
      const answer = await pending
      if (answer) this.send(answer)
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
    this.#watch(this.#ports.now())
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
    this.#backlog.block()
    work.catch((error: unknown) => this.#refuse(message, error)).then(() => this.#unblock())
  }

  #unblock(): void {
    for (const message of this.#backlog.unblock()) {
      if (this.#state.kind === 'closed') return
      this.#handle(message)
    }
  }

  #refuse(message: ClientMessage, cause: unknown): void {
    if (this.#state.kind === 'closed') return
    const error = cause instanceof FusewireError ? cause : new FusewireError('internal_error', undefined, { cause })
    if (error.code === 'internal_error') this.#ports.log('request_failed', { type: message.type, error: cause })
    const { id } = message as { id?: number }
    const channel = 'channel' in message ? message.channel : undefined
    this.#sendError(error, { id, channel })
    if (message.type !== 'connect') return
    const { code } = error
    if (code === 'token_required' || code === 'token_invalid' || code === 'token_expired') this.end(code, error.message)
  }

  #sendError(error: FusewireError, request: Parameters<typeof errorMessage>[1]): void {
    this.#ports.counters.error(error.code)
    this.send(errorMessage(error, request))
  }

  #encode(message: ServerMessage): Frame {
    try {
      return this.connection.format.encode(message)
    } catch (cause) {
      // What was asked may be right; what an rpc handler or a token's info holds is not to be written.
      throw new FusewireError('internal_error', undefined, { cause })
    }
  }
}

/** When the session's token ends. */
const expiryOf = ({ identity }: Session): number => identity.expiresAt ?? Number.POSITIVE_INFINITY
