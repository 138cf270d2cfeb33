import { type Awaitable, type Log, RenewingMap } from '@fusewire/engine'
import { FusewireError, isErrorCode } from '@fusewire/protocol'
import type { Outgoing } from './bus-link.ts'
import { type BusMessage, MAX_ERROR_LENGTH } from './bus-message.ts'
import type { ClusterStats } from './cluster-stats.ts'

/** Answers a call. A {@link FusewireError} reaches the caller with its code; any other error is hidden from it. */
export type CallHandler = (data: unknown, from: string) => Awaitable<unknown>
export type NoticeHandler = (data: unknown, from: string) => void

export interface CallLimits {
  /** Calls of this node that wait for an answer, to one other node. */
  readonly maxPending: number
  /** Bytes of what they have been asked with. */
  readonly maxPendingBytes: number
  /** Calls of one other node that are being answered here. */
  readonly maxRunning: number
}

export interface CallsPorts {
  /** MUST reject with a {@link FusewireError} when it cannot be sent. */
  readonly send: (message: Outgoing, to: string) => Promise<void>
  /** Milliseconds of a clock that does not leap when the time is set. */
  readonly now: () => number
  readonly limits: CallLimits
  readonly stats: ClusterStats
  readonly log: Log
}

export interface CallOptions {
  readonly timeoutMs: number
  /** What the call carries, for the limit. Default 0. */
  readonly bytes?: number
  /** The caller waits no longer. */
  readonly signal?: AbortSignal
}

/** What came of a question to several nodes. */
export interface Gathered {
  readonly answers: ReadonlyMap<string, unknown>
  /** Nodes that have not answered in time, or with a failure. */
  readonly unreachable: readonly string[]
}

/** There is nobody to ask. */
export const withoutAnswer: Gathered = { answers: new Map(), unreachable: [] }

interface Pending {
  readonly node: string
  readonly bytes: number
  readonly deadline: number
  settle(answer: FusewireError | { readonly data: unknown }): void
}

interface Load {
  calls: number
  bytes: number
}

const BUSY_FOR_MS = 1000

/** Questions from node to node, and their answers. */
export class Calls {
  readonly #ports: CallsPorts
  readonly #handlers = new Map<string, CallHandler>()
  readonly #noticeHandlers = new Map<string, NoticeHandler>()
  readonly #pending = new RenewingMap<number, Pending>()
  readonly #loads = new Map<string, Load>()
  /** Calls that are being answered, by the node that has made them. */
  readonly #running = new Map<string, number>()
  #lastId = 0
  #isClosed = false

  constructor(ports: CallsPorts) {
    this.#ports = ports
  }

  /** Says what answers the calls of this name. */
  handle(name: string, handler: CallHandler): void {
    this.#handlers.set(name, handler)
  }

  handleNotice(name: string, handler: NoticeHandler): void {
    this.#noticeHandlers.set(name, handler)
  }

  /**
   * Asks one node. Rejects with its refusal, `overloaded` when too many calls wait for it, `broker_unavailable` when it cannot be
   * asked, or `timeout` when nobody knows whether it has done what it was asked.
   */
  ask(node: string, name: string, data: unknown, { timeoutMs, bytes = 0, signal }: CallOptions): Promise<unknown> {
    const load = this.#loads.get(node) ?? { calls: 0, bytes: 0 }
    const { now, limits, stats } = this.#ports
    if (this.#isClosed) return Promise.reject(new FusewireError('server_draining'))
    if (load.calls >= limits.maxPending || (load.calls > 0 && load.bytes + bytes > limits.maxPendingBytes))
      return Promise.reject(new FusewireError('overloaded', 'too much waits for another node', { retryAfterMs: BUSY_FOR_MS }))
    load.calls++
    load.bytes += bytes
    this.#loads.set(node, load)
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const abandon = (): void => settle(new FusewireError('timeout', 'the caller has gone'))
      const settle = (answer: FusewireError | { readonly data: unknown }): void => {
        if (!this.#pending.delete(id)) return
        signal?.removeEventListener('abort', abandon)
        load.calls--
        load.bytes -= bytes
        if (load.calls === 0) this.#loads.delete(node)
        if (answer instanceof FusewireError) reject(answer)
        else resolve(answer.data)
      }
      this.#pending.set(id, { node, bytes, deadline: now() + timeoutMs, settle })
      signal?.addEventListener('abort', abandon)
      this.#ports.send({ type: 'call', id, name, data }, node).catch((error: unknown) => {
        if (this.#pending.has(id)) stats.calls.unsent++
        settle(error instanceof FusewireError ? error : new FusewireError('internal_error', undefined, { cause: error }))
      })
      if (signal?.aborted) abandon()
    })
  }

  /** Asks several nodes the same. Never rejects. */
  async askAll(nodes: readonly string[], name: string, data: unknown, options: CallOptions): Promise<Gathered> {
    const answers = new Map<string, unknown>()
    const unreachable: string[] = []
    await Promise.all(
      nodes.map(async (node) => {
        try {
          answers.set(node, await this.ask(node, name, data, options))
        } catch {
          unreachable.push(node)
        }
      }),
    )
    return { answers, unreachable }
  }

  /** Tells one node something; nobody hears whether it has arrived. */
  notify(node: string, name: string, data: unknown): void {
    this.#ports.send({ type: 'notice', name, data }, node).catch(() => undefined)
  }

  /** Takes what has come from another node. */
  received(message: BusMessage): void {
    if (this.#isClosed) return
    switch (message.type) {
      case 'call':
        void this.#answer(message)
        return
      case 'notice':
        this.#take(message)
        return
      case 'answer':
        this.#settle(message, 'answered', { data: message.data })
        return
      case 'failure':
        this.#settle(message, 'refused', failureOf(message))
    }
  }

  /** Nobody will answer in its place. */
  nodeLeft(node: string): void {
    for (const pending of this.#pending.values())
      if (pending.node === node) pending.settle(new FusewireError('timeout', 'the node that was asked has gone'))
  }

  /** To be called several times a second. */
  tick(): void {
    const now = this.#ports.now()
    for (const { deadline, settle } of this.#pending.values())
      if (now >= deadline) {
        this.#ports.stats.calls.timeout++
        settle(new FusewireError('timeout', 'another node has not answered in time'))
      }
  }

  close(): void {
    this.#isClosed = true
    for (const { settle } of this.#pending.values()) settle(new FusewireError('server_draining'))
  }

  #settle(
    { from, id }: BusMessage & { id: number },
    outcome: 'answered' | 'refused',
    answer: Parameters<Pending['settle']>[0],
  ): void {
    const pending = this.#pending.get(id)
    // Too late, or of one that was not asked.
    if (pending?.node !== from) {
      this.#ports.stats.refused.unasked++
      return
    }
    this.#ports.stats.calls[outcome]++
    pending.settle(answer)
  }

  async #answer({ from, id, name, data }: Extract<BusMessage, { type: 'call' }>): Promise<void> {
    const running = this.#running.get(from) ?? 0
    let outgoing: Outgoing
    try {
      if (running >= this.#ports.limits.maxRunning)
        throw new FusewireError('overloaded', 'too many calls of this node', { retryAfterMs: BUSY_FOR_MS })
      this.#running.set(from, running + 1)
      try {
        const handler = this.#handlers.get(name)
        if (!handler) throw new FusewireError('method_not_found', 'this node is of another version, and does not know the call')
        outgoing = { type: 'answer', id, data: (await handler(data, from)) ?? null }
      } finally {
        const left = (this.#running.get(from) ?? 1) - 1
        if (left > 0) this.#running.set(from, left)
        else this.#running.delete(from)
      }
    } catch (error) {
      outgoing = this.#failure(error, { id, name, node: from })
    }
    // Whoever has asked waits until its deadline, and no longer.
    await this.#ports.send(outgoing, from).catch((error: unknown) => this.#unanswered(error, id, from))
  }

  /** The bus is away, or the answer is too large for it: then a smaller one says so. */
  async #unanswered(error: unknown, id: number, from: string): Promise<void> {
    if (!(error instanceof FusewireError) || error.code !== 'message_too_large') return
    await this.#ports.send({ type: 'failure', id, code: error.code, message: error.message }, from).catch(() => undefined)
  }

  #failure(error: unknown, call: { readonly id: number; readonly name: string; readonly node: string }): Outgoing {
    const { id, name, node } = call
    if (!(error instanceof FusewireError) || error.code === 'internal_error')
      this.#ports.log('cluster_call_failed', { name, node, error })
    const { code, message, retryAfterMs } = error instanceof FusewireError ? error : new FusewireError('internal_error')
    return {
      type: 'failure',
      id,
      code,
      message: message.slice(0, MAX_ERROR_LENGTH),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
  }

  #take({ from, name, data }: Extract<BusMessage, { type: 'notice' }>): void {
    try {
      this.#noticeHandlers.get(name)?.(data, from)
    } catch (error) {
      this.#ports.log('cluster_call_failed', { name, node: from, error })
    }
  }
}

const failureOf = ({ code, message, retryAfterMs }: Extract<BusMessage, { type: 'failure' }>): FusewireError =>
  new FusewireError(isErrorCode(code) ? code : 'internal_error', message, retryAfterMs === undefined ? {} : { retryAfterMs })
