import type { Answers, DecidingEvent, HookEvent, Hooks, Log, Notice, Question, Questions } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { checkAnswer } from './check-answer.ts'
import { channelOf, HOOK_EVENTS } from './hook-events.ts'
import { asHookFailure, type HookFailure } from './hook-failure.ts'
import { HookRoute } from './hook-route.ts'
import { HookStats } from './hook-stats.ts'
import type { HookTarget } from './hook-target.ts'
import { NoticeQueue, type NoticeQueueLimits } from './notice-queue.ts'
import { TimeLimit } from './time-limit.ts'

export interface HookLimits extends NoticeQueueLimits {
  /** Questions that wait for their answer at a time; more are refused. */
  readonly hookMaxConcurrent: number
  /** What it means for a client when the application cannot be asked. */
  readonly hookFailure: 'refuse' | 'allow'
  /** How deep what comes back may be nested. */
  readonly maxDepth: number
}

/**
 * The application's hooks, in this process and behind backends alike. The first hook that matches decides; all that match are told.
 */
export class ApplicationHooks implements Hooks {
  readonly stats = new HookStats()
  readonly #limits: HookLimits
  readonly #log: Log
  readonly #timeLimit: TimeLimit
  readonly #closing = new AbortController()
  /** What each target is still to be told: one queue, so that it hears everything in its order. */
  readonly #queues = new Map<HookTarget, NoticeQueue>()
  readonly #byEvent = Object.fromEntries(HOOK_EVENTS.map((event) => [event, [] as HookRoute[]])) as Record<HookEvent, HookRoute[]>

  constructor(limits: HookLimits, log: Log) {
    this.#limits = limits
    this.#log = log
    this.#timeLimit = new TimeLimit(limits.hookTimeoutMs)
  }

  /** Adds a hook after those that are there. `channels` is a pattern; without one it is for all. */
  add(events: readonly HookEvent[], channels: string | undefined, target: HookTarget): void {
    const queue = this.#queues.get(target) ?? new NoticeQueue(target, this.#limits, this.stats, this.#log)
    this.#queues.set(target, queue)
    const route = new HookRoute(events, channels, target, queue)
    for (const event of route.events) this.#byEvent[event].push(route)
  }

  takes(event: HookEvent, channel?: string): boolean {
    for (const route of this.#byEvent[event]) if (route.matches(channel)) return true
    return false
  }

  async ask<E extends DecidingEvent>(question: Questions[E]): Promise<Answers[E]> {
    const event: DecidingEvent = question.event
    if (this.stats.pending >= this.#limits.hookMaxConcurrent) {
      this.stats.call(event, 'overloaded')
      throw new FusewireError('overloaded', 'too many questions wait for the application')
    }
    const route = this.#byEvent[event].find((candidate) => candidate.matches(channelOf(question)))
    if (!route) throw new Error(`no hook takes ${event}`)
    const startedAt = performance.now()
    this.stats.pending++
    try {
      const answer = await this.#timeLimit.run((signal) => route.target.ask(question, signal), this.#closing.signal)
      const checked = checkAnswer<E>(question.event as E, answer, this.#limits.maxDepth)
      this.stats.call(event, checked.decision)
      return checked
    } catch (error) {
      this.stats.call(event, 'failed')
      return this.#makeUpFor<E>(question, route.target, asHookFailure(error))
    } finally {
      this.stats.pending--
      this.stats.took(event, performance.now() - startedAt)
    }
  }

  tell(notice: Notice): void {
    const channel = channelOf(notice)
    // Two hooks of one backend may both match.
    const queues = new Set<NoticeQueue>()
    for (const route of this.#byEvent[notice.event]) if (route.matches(channel)) queues.add(route.queue)
    for (const queue of queues) queue.push(notice)
  }

  async flush(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.flush(timeoutMs)))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()))
  }

  /** What a question that could not be answered means. */
  #makeUpFor<E extends DecidingEvent>(question: Question, target: HookTarget, failure: HookFailure): Answers[E] {
    const { event } = question
    // While the breaker is open every question fails; that it has opened is in the log. So is that the server ends.
    if (failure.kind !== 'broken' && !this.#closing.signal.aborted)
      this.#log('hook_failed', { hook: target.name, event, kind: failure.kind, error: failure })
    if (this.#limits.hookFailure === 'allow' && canBeAllowed(question)) return { decision: 'allow' } as Answers[E]
    throw new FusewireError('hook_unavailable', undefined, { cause: failure })
  }
}

/** Nobody can say who it is, or what a function gives, in the application's place. */
const canBeAllowed = (question: Question): boolean =>
  question.event !== 'rpc' && !('token' in question && question.token !== undefined)
