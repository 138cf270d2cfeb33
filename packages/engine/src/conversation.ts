import { type ClientMessage, FusewireError, MessageError, type ServerMessage } from '@fusewire/protocol'
import { Backlog } from './backlog.ts'
import { errorMessage } from './error-message.ts'
import type { Log } from './log.ts'
import type { Connection } from './ports/connection.ts'
import type { Session } from './session.ts'
import type { SessionRequest, SessionRequests } from './session-requests.ts'
import type { Counters } from './stats.ts'
import { isTokenError } from './token-error.ts'

/** The connection that a {@link Conversation} is held over. */
export interface ConversationHost {
  readonly connection: Connection
  /** What may be asked of now: absent before `connected` and after the end. */
  readonly session: Session | undefined
  /** False from the moment that the end has begun. */
  readonly isOpen: boolean
  /** Throws `internal_error` when the message cannot be written, and has no effect then. */
  send(message: ServerMessage): void
  /** The client keeps its own heartbeat. */
  pinged(): void
  /** Rejects with the reason for which it was not accepted. */
  connect(message: ClientMessage & { type: 'connect' }): Promise<void>
  /** What was asked as part of `connect` or instead of it has been refused. */
  connectRefused(error: FusewireError): void
  /** The session's newer token has been refused. */
  refreshRefused(error: FusewireError): void
  /** The session may have another token now. */
  refreshed(): void
  /** The client leaves for good. */
  leave(): void
}

/** The same for all conversations of an engine. */
export interface ConversationPorts {
  readonly requests: SessionRequests
  readonly counters: Counters
  readonly limits: {
    /** Requests of one connection that wait for their turn or their answer. Default 256. */
    readonly maxPendingRequests: number
  }
  readonly log: Log
}

/**
 * What a client says over one connection, in its order, and the answers to it.
 *
 * `connect`, `subscribe` and `refresh` change what later messages may do, so those wait for them; everything else is started in
 * order and answered when it is done.
 */
export class Conversation {
  readonly #host: ConversationHost
  readonly #ports: ConversationPorts
  readonly #backlog = new Backlog<ClientMessage>()
  #pendingRequests = 0
  /** What all that comes has to wait for. */
  #held: Promise<void> | undefined

  constructor(host: ConversationHost, ports: ConversationPorts) {
    this.#host = host
    this.#ports = ports
  }

  /** Something that was asked for has not been answered. */
  get isWaiting(): boolean {
    return this.#pendingRequests > 0 || this.#backlog.isBlocked
  }

  receive(message: ClientMessage): void {
    this.#ports.counters.messagesIn[message.type]++
    if (!this.#backlog.isBlocked) this.#handle(message)
    else if (this.#backlog.size < this.#ports.limits.maxPendingRequests) this.#backlog.push(message)
    else this.#refuseMore(message, 'too many requests wait for their turn')
  }

  /** What comes from now on waits until this is done, besides what it waits for already. `work` never rejects. */
  hold(work: Promise<void>): void {
    this.#held = work
    if (this.#backlog.isBlocked) return
    this.#backlog.block()
    this.#unblock()
  }

  /** Answers input that could not be accepted. */
  reject(error: FusewireError): void {
    this.#sendError(error, error instanceof MessageError ? { id: error.id } : {})
  }

  /** Answers a request that has failed. Nothing happens after the end. */
  refuse(message: ClientMessage, cause: unknown): void {
    if (!this.#host.isOpen) return
    const error = cause instanceof FusewireError ? cause : new FusewireError('internal_error', undefined, { cause })
    if (error.code === 'internal_error') this.#ports.log('request_failed', { type: message.type, error: cause })
    const { id } = message as { id?: number }
    const channel = 'channel' in message ? message.channel : undefined
    this.#sendError(error, { id, channel })
    if (isTokenError(error)) this.#reportToken(error, message.type, channel)
    if (message.type === 'connect') this.#host.connectRefused(error)
    if (message.type === 'refresh' && channel === undefined) this.#host.refreshRefused(error)
  }

  /** Forgets what waits for its turn. */
  end(): void {
    this.#backlog.clear()
  }

  #handle(message: ClientMessage): void {
    switch (message.type) {
      case 'ping':
        this.#host.pinged()
        this.#host.send({ type: 'pong', ...(message.id !== undefined && { id: message.id }) })
        return
      case 'echo':
        this.#host.send(message)
        return
      case 'connect':
        this.#block(message, this.#host.connect(message))
        return
      case 'disconnect':
        this.#host.leave()
        return
      default:
        this.#request(message)
    }
  }

  #request(message: SessionRequest): void {
    const { session } = this.#host
    if (!session) {
      this.refuse(message, new FusewireError('not_connected'))
      return
    }
    if (this.#pendingRequests >= this.#ports.limits.maxPendingRequests) {
      this.#refuseMore(message, 'too many requests wait for their answer')
      return
    }
    try {
      const answer = this.#ports.requests.handle(session, message)
      if (answer instanceof Promise) this.#await(message, answer)
      else if (answer) this.#host.send(answer)
    } catch (error) {
      this.refuse(message, error)
    }
  }

  #await(message: SessionRequest, answer: Promise<ServerMessage | undefined>): void {
    const answered = this.#answer(message, answer)
    if (message.type === 'subscribe') this.#block(message, answered)
    // The new token may end sooner than anything that was waited for.
    else if (message.type === 'refresh')
      this.#block(
        message,
        answered.then(() => this.#host.refreshed()),
      )
  }

  /** Settles when the request has been answered or refused. One `then`, because each publication to a broker elsewhere waits here. */
  #answer(message: SessionRequest, pending: Promise<ServerMessage | undefined>): Promise<void> {
    this.#pendingRequests++
    return pending.then(
      (answer) => {
        this.#sendAnswer(message, answer)
        this.#pendingRequests--
      },
      (error: unknown) => {
        this.#pendingRequests--
        this.refuse(message, error)
      },
    )
  }

  /** Refuses what cannot be written. */
  #sendAnswer(message: SessionRequest, answer: ServerMessage | undefined): void {
    try {
      if (answer) this.#host.send(answer)
    } catch (error) {
      this.refuse(message, error)
    }
  }

  /** Keeps later messages waiting until `work` is done. */
  #block(message: ClientMessage, work: Promise<void>): void {
    this.#backlog.block()
    work.then(
      () => this.#unblock(),
      (error: unknown) => {
        this.refuse(message, error)
        this.#unblock()
      },
    )
  }

  #unblock(): void {
    if (this.#held) {
      const held = this.#held
      held.then(() => {
        if (this.#held === held) this.#held = undefined
        this.#unblock()
      })
      return
    }
    for (const message of this.#backlog.unblock()) {
      if (!this.#host.isOpen) return
      this.#handle(message)
    }
  }

  #refuseMore(message: ClientMessage, why: string): void {
    this.#ports.counters.refuse('maxPendingRequests')
    this.refuse(message, new FusewireError('overloaded', why))
  }

  /** A security event: its details never have the token. */
  #reportToken({ code }: FusewireError, request: ClientMessage['type'], channel: string | undefined): void {
    const { transport, remoteAddress } = this.#host.connection
    this.#ports.log('token_refused', { code, request, ...(channel !== undefined && { channel }), transport, remoteAddress })
  }

  #sendError(error: FusewireError, request: Parameters<typeof errorMessage>[1]): void {
    this.#ports.counters.error(error.code)
    this.#host.send(errorMessage(error, request))
  }
}
