import type { ClientMessage, ErrorMessage, RefreshResult, Result, ServerMessage } from '@fusewire/protocol'
import { Alarm } from '../alarm.ts'
import { ClientError } from '../client-error.ts'
import { present } from '../wire/present.ts'

/** Requests that wait for their answer at a time. The server refuses more than its `maxPendingRequests` (256). */
const MAX_IN_FLIGHT = 100
const UNCERTAIN = 'it may have been carried out'

/** A client message that is answered by its id, which is yet to be given. */
export type Request = WithoutId<Extract<ClientMessage, { id?: number }>>

type WithoutId<Message> = Message extends unknown
  ? { [Name in keyof Omit<Message, 'id'>]: Message[Name & keyof Message] | undefined }
  : never

export interface RequestLimits {
  readonly requestTimeoutMs: number
  readonly maxQueuedRequests: number
  readonly whenOffline: 'queue' | 'refuse'
}

interface Pending {
  readonly id: number
  /** Absent when it is sent past the queue. */
  readonly message?: ClientMessage
  readonly isRepeatable: boolean
  readonly answered: (message: ServerMessage) => void
  readonly failed: (error: ClientError) => void
  /** When it was sent first. */
  sentAt?: number
  /** When it is given up; never, until it is sent. */
  deadline: number
}

export const errorOf = (message: ErrorMessage): ClientError => new ClientError(message.code, message.message, message)

/** Requests and their answers, in order, over cuts. */
export class Requests {
  readonly #limits: RequestLimits
  readonly #alarm = new Alarm(() => this.#expire())
  /**
   * Everything unanswered, in the order of its ids. An array, as is the next: from a map in which entries come and go, V8 lets nothing
   * die young that was ever in it.
   */
  readonly #pending: Pending[] = []
  /** Those that are not sent, or to be sent again. */
  readonly #waiting: Pending[] = []
  #send: ((message: ClientMessage) => void) | undefined
  #sessionTtlMs = 0
  #lastId = 0

  constructor(limits: RequestLimits) {
    this.#limits = limits
  }

  /**
   * Sends a request, now or when there is a connection. One that is safe to repeat is sent again when the line was cut before its
   * answer came; the others are then rejected, because they may have been carried out.
   */
  request(request: Request, isRepeatable: boolean): Promise<ServerMessage> {
    return new Promise((answered, failed) => {
      if (!this.#send && this.#limits.whenOffline === 'refuse') {
        failed(new ClientError('offline', 'there is no connection', { retryable: true }))
      } else if (this.#waiting.length >= this.#limits.maxQueuedRequests) {
        failed(new ClientError('queue_full', 'maxQueuedRequests wait already', { retryable: true }))
      } else {
        const id = ++this.#lastId
        const message = present({ ...request, id }) as ClientMessage
        const pending: Pending = { id, message, isRepeatable, answered, failed, deadline: Number.POSITIVE_INFINITY }
        this.#pending.push(pending)
        this.#waiting.push(pending)
        this.#flush()
      }
    })
  }

  /** Gives a new token to the server, and resolves to its end. */
  async refresh(token: string, channel?: string): Promise<number | undefined> {
    const answer = (await this.request({ type: 'refresh', token, channel }, false)) as Result
    return (answer.data as RefreshResult | undefined)?.expiresAt
  }

  /** Expects an answer to something that is sent past the queue, and gives the id to put into it. */
  expect(failed: (error: ClientError) => void, answered: (message: ServerMessage) => void = () => {}): number {
    const pending: Pending = { id: ++this.#lastId, isRepeatable: false, answered, failed, deadline: 0 }
    this.#pending.push(pending)
    this.#markSent(pending)
    return pending.id
  }

  /** Takes the answer to a request; false when it is none. */
  answer(message: ServerMessage & { id?: number }): boolean {
    const pending = message.id && this.#pending.find(({ id }) => id === message.id)
    if (!pending) return false
    this.#settle(pending)
    if (message.type === 'error') pending.failed(errorOf(message))
    else pending.answered(message)
    this.#flush()
    return true
  }

  /** A connection is there. `sessionTtlMs` is how long the server remembers this session, and with it what it has carried out. */
  connected(send: (message: ClientMessage) => void, sessionTtlMs: number): void {
    this.#send = send
    this.#sessionTtlMs = sessionTtlMs
    this.#flush()
  }

  /** The connection is gone. What was sent and can be repeated goes first when the next one comes. */
  lost(): void {
    this.#send = undefined
    const again: Pending[] = []
    const waiting = new Set(this.#waiting)
    for (const pending of this.#pending.filter((other) => !waiting.has(other))) {
      if (pending.isRepeatable) {
        again.push(pending)
        // Later the server may have forgotten that it has carried this out.
        pending.deadline = (pending.sentAt ?? 0) + this.#sessionTtlMs
        this.#alarm.setNoLaterThan(pending.deadline)
      } else {
        this.#settle(pending)
        pending.failed(new ClientError('connection_lost', `the line was cut: ${UNCERTAIN}`, { retryable: true }))
      }
    }
    this.#waiting.unshift(...again)
  }

  /** Gives up everything. */
  stop(error: ClientError): void {
    for (const pending of [...this.#pending]) {
      this.#settle(pending)
      pending.failed(error)
    }
  }

  #flush(): void {
    while (this.#send && this.#pending.length - this.#waiting.length < MAX_IN_FLIGHT) {
      const pending = this.#waiting.shift()
      if (!pending) return
      this.#markSent(pending)
      try {
        this.#send(pending.message as ClientMessage)
      } catch (cause) {
        this.#settle(pending)
        pending.failed(new ClientError('invalid_field', 'the data cannot be encoded', { cause }))
      }
    }
  }

  #markSent(pending: Pending): void {
    const now = Date.now()
    pending.sentAt ??= now
    pending.deadline = now + this.#limits.requestTimeoutMs
    this.#alarm.setNoLaterThan(pending.deadline)
  }

  #settle(pending: Pending): void {
    for (const list of [this.#pending, this.#waiting]) {
      const at = list.indexOf(pending)
      if (at >= 0) list.splice(at, 1)
    }
    if (this.#pending.length === 0) this.#alarm.clear()
  }

  #expire(): void {
    const now = Date.now()
    for (const pending of [...this.#pending]) {
      if (pending.deadline > now) this.#alarm.setNoLaterThan(pending.deadline)
      else {
        this.#settle(pending)
        pending.failed(new ClientError('timeout', `no answer within requestTimeoutMs: ${UNCERTAIN}`, { retryable: true }))
      }
    }
    this.#flush()
  }
}
