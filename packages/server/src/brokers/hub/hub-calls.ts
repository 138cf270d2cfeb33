import type { Duplex } from 'node:stream'
import { FusewireError } from '@fusewire/protocol'
import type { BrokerHealth } from '../broker-health.ts'
import { FrameSocket, type Message } from './frame-socket.ts'
import { errorOf, type HubNews, type HubOperation, type HubOperations, type Refusal } from './hub-protocol.ts'

/** What may wait for the hub to read it, in bytes: it is on the same machine, and reads at once unless something is wrong. */
const MAX_UNREAD_BYTES = 67_108_864

/** How often it is looked whether the hub leaves something unanswered. */
const WATCH_INTERVAL_MS = 250

interface Waiting {
  readonly name: string
  readonly resolve: (answer: never) => void
  readonly reject: (error: FusewireError) => void
  readonly askedAt: number
  isSettled: boolean
}

export interface HubCallsOptions {
  /** Keeps count of the calls. */
  readonly health: BrokerHealth
  /** How long the hub may take to answer, in milliseconds. */
  readonly timeoutMs: number
  /** The hub is gone, and does not come back. Called once, unless {@link HubCalls.close} comes before. */
  readonly onLost?: () => void
}

type NewsHandlers = { [Name in keyof HubNews]?: (...values: HubNews[Name]) => void }

/** A worker's end of the line to the hub: one socket for questions, their answers and news, so that all of them keep their order. */
export class HubCalls {
  readonly #socket: FrameSocket
  readonly #options: HubCallsOptions
  readonly #waiting: Waiting[] = []
  /** The oldest that waits; those before it have been answered. */
  #oldest = 0
  readonly #handlers: NewsHandlers = {}
  readonly #watch: NodeJS.Timeout
  #isLeaving = false

  constructor(socket: Duplex, options: HubCallsOptions) {
    this.#options = options
    this.#socket = new FrameSocket(
      socket,
      { message: (message) => this.#receive(message), closed: () => this.#closed() },
      { maxUnreadBytes: Number.POSITIVE_INFINITY },
    )
    this.#watch = setInterval(() => this.#rejectLate(), WATCH_INTERVAL_MS)
    this.#watch.unref()
  }

  /** Rejects with the hub's refusal, and with `broker_unavailable` when the hub is gone or takes too long. */
  ask<Name extends HubOperation>(
    name: Name,
    ...values: Parameters<HubOperations[Name]>
  ): Promise<ReturnType<HubOperations[Name]>> {
    return new Promise((resolve, reject) => {
      const problem = this.#socket.isClosed ? gone() : this.#socket.unreadBytes > MAX_UNREAD_BYTES ? late() : undefined
      if (problem) {
        this.#options.health.failed(name)
        return reject(problem)
      }
      // What cannot be written throws, and nothing has been asked.
      this.#socket.send(name, ...values)
      this.#waiting.push({ name, resolve, reject, askedAt: performance.now(), isSettled: false })
    })
  }

  on<Name extends keyof HubNews>(name: Name, handler: NonNullable<NewsHandlers[Name]>): void {
    this.#handlers[name] = handler
  }

  /** Why the hub does not do its work; undefined while it does. */
  problem(): FusewireError | undefined {
    if (this.#socket.isClosed) return gone()
    return this.#waiting[this.#oldest]?.isSettled ? late() : undefined
  }

  /** Idempotent. What is still unanswered is rejected. */
  close(): void {
    this.#isLeaving = true
    this.#socket.close()
  }

  #receive([name, ...values]: Message): void {
    if (name === 'ok') this.#next()?.resolve(values[0] as never)
    else if (name === 'no') this.#next()?.reject(errorOf(values[0] as Refusal))
    else (this.#handlers as Record<string, ((...values: unknown[]) => void) | undefined>)[name]?.(...values)
  }

  #next(): Waiting | undefined {
    const waiting = this.#waiting[this.#oldest++]
    if (waiting && !waiting.isSettled) this.#options.health.answered(waiting.name, performance.now() - waiting.askedAt)
    if (this.#oldest === this.#waiting.length || this.#oldest >= 1024) {
      this.#waiting.splice(0, this.#oldest)
      this.#oldest = 0
    }
    return waiting
  }

  /** The answer is still to come, and will be taken for nobody. */
  #rejectLate(): void {
    const askedBefore = performance.now() - this.#options.timeoutMs
    for (let at = this.#oldest; at < this.#waiting.length; at++) {
      const waiting = this.#waiting[at]
      if (!waiting || waiting.askedAt > askedBefore) break
      if (waiting.isSettled) continue
      waiting.isSettled = true
      this.#options.health.failed(waiting.name)
      waiting.reject(late())
    }
  }

  #closed(): void {
    clearInterval(this.#watch)
    for (const { reject } of this.#waiting.splice(0)) reject(gone())
    this.#oldest = 0
    if (!this.#isLeaving) this.#options.onLost?.()
  }
}

const late = (): FusewireError =>
  new FusewireError('broker_unavailable', 'the primary process of this server does not answer in time')

const gone = (): FusewireError => new FusewireError('broker_unavailable', 'the primary process of this server is gone')
