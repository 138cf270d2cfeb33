import type { Log, Notice } from '@fusewire/engine'
import { fullJitterGenerator, type IExponentialBackoffOptions } from 'cockatiel'
import { within } from '../within.ts'
import { asHookFailure, type HookFailure, isRedelivered } from './hook-failure.ts'
import type { DropReason, HookStats } from './hook-stats.ts'
import type { HookTarget } from './hook-target.ts'
import { TimeLimit } from './time-limit.ts'

export interface NoticeQueueLimits {
  /** Notices that wait at most; the oldest give way. */
  readonly hookQueueSize: number
  /** How long a notice is kept while it cannot be told, in milliseconds. */
  readonly hookQueueTtlMs: number
  /** How long a batch waits for company, in milliseconds. */
  readonly hookBatchDelayMs: number
  /** Time for one delivery, in milliseconds. */
  readonly hookTimeoutMs: number
}

/** Between two attempts to tell the same batch, doubling; full jitter. */
const BACKOFF: IExponentialBackoffOptions<number> = {
  generator: fullJitterGenerator,
  initialDelay: 200,
  maxDelay: 10_000,
  exponent: 2,
}

/** A backend that asks for more patience than this does not get it. */
const MAX_RETRY_AFTER_MS = 60_000

/** The same loss is logged once in this time. */
const DROP_LOG_INTERVAL_MS = 1000

/**
 * What a target is still to be told, in memory, in its order, one batch at a time. A batch that fails is told again, the same until
 * its oldest are too old, so that the id of its first notice names it.
 */
export class NoticeQueue {
  readonly #target: HookTarget
  readonly #limits: NoticeQueueLimits
  readonly #stats: HookStats
  readonly #log: Log
  readonly #timeLimit: TimeLimit
  readonly #closing = new AbortController()
  #waiting: Notice[] = []
  /** What is being told. */
  #batch: readonly Notice[] = []
  #running: Promise<void> | undefined
  #isFlushing = false
  /** Ends the pause that is being made. */
  #wake: () => void = () => {}
  readonly #unreported: Partial<Record<DropReason, number>> = {}
  #reportedAt = Number.NEGATIVE_INFINITY

  constructor(target: HookTarget, limits: NoticeQueueLimits, stats: HookStats, log: Log) {
    this.#target = target
    this.#limits = limits
    this.#timeLimit = new TimeLimit(limits.hookTimeoutMs)
    this.#stats = stats
    this.#log = log
  }

  get size(): number {
    return this.#waiting.length + this.#batch.length
  }

  push(notice: Notice): void {
    if (this.#closing.signal.aborted) {
      this.#drop(1, 'closed')
      return
    }
    this.#waiting.push(notice)
    this.#stats.queued++
    if (this.size > this.#limits.hookQueueSize) {
      // What is on its way cannot be taken back.
      this.#waiting.shift()
      this.#stats.queued--
      this.#drop(1, 'queue_full')
    }
    if (this.#running === undefined) this.#running = this.#run()
    else if (this.#batch.length === 0 && this.#waiting.length >= this.#target.batchSize) this.#wake()
  }

  /** Tells what waits without delay, for `timeoutMs` at most. */
  async flush(timeoutMs: number): Promise<void> {
    this.#isFlushing = true
    this.#wake()
    await within(this.#running, timeoutMs, () => undefined)
    this.#isFlushing = false
  }

  /** Drops what is still there. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wake()
    await this.#running
    const left = this.#waiting.length
    this.#waiting = []
    this.#stats.queued -= left
    if (left > 0) this.#drop(left, 'closed')
    this.#report()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closing.signal.aborted) {
      const isPartial = this.#waiting.length < this.#target.batchSize
      if (isPartial && !this.#isFlushing) await this.#pause(this.#limits.hookBatchDelayMs)
      this.#batch = this.#waiting.splice(0, this.#target.batchSize)
      await this.#tell()
    }
    this.#running = undefined
  }

  /** Tells the batch until it has arrived, is too old, or is not to be told again. */
  async #tell(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      this.#dropOld()
      if (this.#batch.length === 0) return
      if (this.#closing.signal.aborted) return this.#putBack()
      try {
        await this.#timeLimit.run((signal) => this.#target.deliver(this.#batch, signal), this.#closing.signal)
        if (attempt > 0) this.#log('hook_delivery_resumed', { hook: this.#target.name, waiting: this.size })
        for (const { event } of this.#batch) this.#stats.call(event, 'told')
        this.#finish(this.#batch.length)
        return
      } catch (error) {
        const failure = asHookFailure(error)
        for (const { event } of this.#batch) this.#stats.call(event, 'failed')
        if (!isRedelivered(failure)) {
          this.#log('hook_delivery_failed', { hook: this.#target.name, waiting: this.size, error: failure })
          this.#drop(this.#batch.length, 'refused')
          this.#finish(this.#batch.length)
          return
        }
        if (attempt === 0 && !this.#closing.signal.aborted)
          this.#log('hook_delivery_failed', { hook: this.#target.name, waiting: this.size, error: failure })
        await this.#pause(this.#isFlushing ? BACKOFF.initialDelay : delayOf(failure, attempt))
      }
    }
  }

  #dropOld(): void {
    const oldest = Date.now() - this.#limits.hookQueueTtlMs
    const fresh = this.#batch.findIndex(({ time }) => time >= oldest)
    const old = fresh < 0 ? this.#batch.length : fresh
    if (old === 0) return
    this.#drop(old, 'too_old')
    this.#finish(old)
  }

  /** The first ones of the batch need no more care. */
  #finish(count: number): void {
    this.#stats.queued -= count
    this.#batch = this.#batch.slice(count)
  }

  #putBack(): void {
    this.#waiting.unshift(...this.#batch)
    this.#batch = []
  }

  #pause(ms: number): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #drop(count: number, reason: DropReason): void {
    this.#stats.dropped[reason] += count
    this.#unreported[reason] = (this.#unreported[reason] ?? 0) + count
    if (Date.now() - this.#reportedAt >= DROP_LOG_INTERVAL_MS) this.#report()
  }

  #report(): void {
    this.#reportedAt = Date.now()
    for (const [reason, count] of Object.entries(this.#unreported)) {
      this.#log('hook_notices_dropped', { hook: this.#target.name, reason, count, waiting: this.size })
      delete this.#unreported[reason as DropReason]
    }
  }
}

const delayOf = ({ retryAfterMs }: HookFailure, attempt: number): number =>
  retryAfterMs === undefined ? fullJitterGenerator(attempt, BACKOFF)[0] : Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)
