import {
  type ClientMessage,
  closeAction,
  type DisconnectCode,
  ERRORS,
  type ErrorCode,
  FusewireError,
  type ServerMessage,
} from '@fusewire/protocol'
import { Conduct, type ConductLimits } from './conduct.ts'
import { type ConnectionEffect, type ConnectionEvent, type ConnectionPhase, connectionMove } from './connection-lifecycle.ts'
import { Conversation, type ConversationHost, type ConversationPorts } from './conversation.ts'
import { NO_PLACE, type Placed } from './dense-set.ts'
import type { Departing } from './departures.ts'
import { encodeMessage } from './encode-message.ts'
import type { Accepted, Handshake } from './handshake.ts'
import { type ClockedPeer, type ClockPorts, PeerClock } from './peer-clock.ts'
import type { Connection } from './ports/connection.ts'
import type { Peer } from './ports/peer.ts'
import type { Session, SessionLink } from './session.ts'
import type { Sessions } from './sessions.ts'

export type PeerLimits = ClockPorts['limits'] & ConductLimits & ConversationPorts['limits']

/** The same for all peers of an engine. */
export interface PeerPorts extends ConversationPorts, ClockPorts {
  readonly handshake: Handshake
  readonly sessions: Sessions
  readonly limits: PeerLimits
  /** Called once when the stream has ended. */
  readonly onClosed: (peer: ClientPeer) => void
}

/** Why a connection ends. */
interface End {
  readonly code: DisconnectCode
  readonly reason: string
  readonly retryAfterMs?: number | undefined
}

/** The end that nobody has to be told about. */
const NORMAL_END: End = { code: 'closed', reason: ERRORS.closed.help }

/** One connection as the engine sees it: leads it through its life. */
export class ClientPeer implements Peer, SessionLink, ConversationHost, ClockedPeer, Departing, Placed {
  readonly connection: Connection
  place = NO_PLACE
  readonly #ports: PeerPorts
  readonly #clock: PeerClock
  readonly #conversation: Conversation
  readonly #conduct: Conduct
  #phase: ConnectionPhase = 'silent'
  /** What an accepted `connect` has got. */
  #session: Session | undefined

  constructor(connection: Connection, ports: PeerPorts) {
    this.connection = connection
    this.#ports = ports
    this.#conversation = new Conversation(this, ports)
    this.#conduct = new Conduct(this, this.#conversation, ports)
    this.#clock = new PeerClock(this, ports)
    this.#clock.watch()
  }

  get phase(): ConnectionPhase {
    return this.#phase
  }

  get session(): Session | undefined {
    return this.#phase === 'connected' ? this.#session : undefined
  }

  get isOpen(): boolean {
    return this.#phase !== 'disconnecting' && this.#phase !== 'disconnected'
  }

  get isBusy(): boolean {
    return this.isOpen && this.#conversation.isWaiting
  }

  receive(message: ClientMessage, bytes: number): void {
    this.#hear()
    if (!this.isOpen) return
    if (this.#conduct.admits(message, bytes)) this.#conversation.receive(message)
  }

  reject(error: FusewireError): void {
    this.#hear()
    if (!this.isOpen) return
    this.#conduct.bad(error)
  }

  alive(): void {
    if (!this.isOpen) return
    this.#clock.alive()
    this.#conduct.alive()
  }

  closed(): void {
    this.#move('lost')
  }

  send(message: ServerMessage): void {
    if (this.isOpen) this.connection.send(encodeMessage(this.connection, message))
  }

  end(code: DisconnectCode, reason: string = ERRORS[code].help, retryAfterMs?: number): void {
    // With a token that was taken back nobody comes back to the session that it began.
    const isFinal = code === 'token_revoked' || closeAction(ERRORS[code].closeCode) === 'stop'
    this.#move(isFinal ? 'expelled' : 'dismissed', { code, reason, retryAfterMs })
  }

  depart(): void {
    this.end('server_draining')
  }

  leave(): void {
    this.#move('left')
  }

  pinged(): void {
    this.#clock.pinged()
  }

  async connect(message: ClientMessage & { type: 'connect' }): Promise<void> {
    if (this.#phase !== 'greeted') throw new FusewireError('already_connected')
    const { handshake } = this.#ports
    let accepted: Accepted
    do {
      accepted = await handshake.authenticate(message, this.connection)
      if (!this.isOpen) return
    } while (handshake.isOutdated(accepted))
    const session = handshake.attach(accepted, this)
    this.#session = session
    this.#conduct.belongTo(session)
    this.#move('accepted')
    this.#clock.watch()
    const failures = await handshake.welcome(session, this, message, accepted)
    for (const { request, error } of failures) this.#conversation.refuse({ type: 'subscribe', ...request }, error)
  }

  connectRefused({ code, message, retryAfterMs }: FusewireError): void {
    if (isRefusal(code)) this.end(code, message, retryAfterMs)
  }

  refreshRefused({ code, message }: FusewireError): void {
    if (code === 'token_revoked') this.end(code, message)
  }

  refreshed(): void {
    if (this.isOpen) this.#clock.watch()
  }

  /** The clock has leaped, and nobody knows how long the client has been silent: it gets all of its time again. */
  restartClock(): void {
    if (!this.isOpen) return
    this.#clock.restart()
  }

  /** What the client says waits until this is done; it never rejects. */
  hold(work: Promise<void>): void {
    if (this.isOpen) this.#conversation.hold(work)
  }

  #move(event: ConnectionEvent, end: End = NORMAL_END): void {
    const { to, effects } = connectionMove(this.#phase, event)
    this.#phase = to
    for (const effect of effects) this.#do(effect, end)
  }

  #do(effect: ConnectionEffect, end: End): void {
    const { code, reason } = end
    switch (effect) {
      case 'tell':
        this.#tell(end)
        return
      case 'release':
        this.#conversation.end()
        this.#clock.stop()
        return
      case 'detach':
        if (this.#session) this.#ports.sessions.detach(this.#session, this)
        return
      case 'endSession':
        // Where another connection has it by now, that one goes on with it.
        if (this.#session?.link === this) this.#ports.sessions.end(this.#session, code)
        return
      case 'close':
        this.connection.close(code, reason)
        return
      case 'forget':
        this.#ports.onClosed(this)
    }
  }

  #tell({ code, reason, retryAfterMs }: End): void {
    const { closeCode } = ERRORS[code]
    const reconnect = closeAction(closeCode) !== 'stop'
    const after = retryAfterMs !== undefined && { retryAfterMs }
    this.connection.send(encodeMessage(this.connection, { type: 'disconnect', code, closeCode, reason, reconnect, ...after }))
    this.#ports.counters.disconnect(code)
    const { transport, remoteAddress } = this.connection
    this.#ports.log('client_disconnected', { code, reason, transport, remoteAddress })
  }

  #hear(): void {
    this.#clock.heard()
    this.#move('heard')
  }
}

/** The codes with which a `connect` is refused for good, for a while, or until there is another token; after any other it can be tried again. */
const REFUSALS = [
  'token_required',
  'token_invalid',
  'token_expired',
  'token_revoked',
  'connection_refused',
  'too_many_connections',
] as const

const isRefusal = (code: ErrorCode): code is (typeof REFUSALS)[number] => REFUSALS.some((refusal) => refusal === code)
