import type { Awaitable, Log, Notice, Question } from '@fusewire/engine'
import { encodeJson } from '@fusewire/protocol'
import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  fullJitterGenerator,
  handleWhen,
  isBrokenCircuitError,
  type RetryPolicy,
  retry,
} from 'cockatiel'
import type { Dispatcher } from 'undici'
import { HookFailure, isBreaking, isRetried } from './hook-failure.ts'
import type { HookTarget } from './hook-target.ts'
import { parseAnswer, readAnswer } from './read-answer.ts'
import type { WebhookSigner } from './webhook-signer.ts'

export interface HookBackendLimits {
  /** Time for a question, repetitions included, in milliseconds. */
  readonly hookTimeoutMs: number
  /** How often a question is repeated. */
  readonly hookRetries: number
  /** Size of an answer, in bytes. */
  readonly hookMaxAnswerBytes: number
  /** Notices in one call. */
  readonly hookBatchSize: number
  /** Failures in a row that open the circuit breaker. */
  readonly hookBreakerFailures: number
  /** How long it stays open, in milliseconds. */
  readonly hookBreakerResetMs: number
}

export interface HookBackendPorts {
  readonly signer: WebhookSigner
  readonly dispatcher: Awaitable<Dispatcher>
  readonly userAgent: string
  readonly log: Log
}

/** Between two attempts at a question, doubling; full jitter. */
const BACKOFF = { generator: fullJitterGenerator, initialDelay: 100, maxDelay: 2000, exponent: 2 }

const STATES = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Isolated]: 'open',
} as const

/** How long the backend asks to be left alone, in milliseconds; 0 when it does not. */
const retryAfterOf = (error: unknown): number => (error instanceof HookFailure && error.retryAfterMs) || 0

/** One address of the application: called with POST, signed, tried again, and left alone when it is not there. */
export class HookBackend implements HookTarget {
  readonly name: string
  readonly batchSize: number
  readonly #url: URL
  readonly #limits: HookBackendLimits
  readonly #ports: HookBackendPorts
  readonly #breaker: CircuitBreakerPolicy
  readonly #retry: RetryPolicy

  constructor(url: string, limits: HookBackendLimits, ports: HookBackendPorts) {
    this.#url = new URL(url)
    // The query may carry a secret: it stays out of the log.
    this.name = `${this.#url.origin}${this.#url.pathname}`
    this.batchSize = limits.hookBatchSize
    this.#limits = limits
    this.#ports = ports
    this.#breaker = circuitBreaker(handleWhen(isBreaking), {
      breaker: new ConsecutiveBreaker(limits.hookBreakerFailures),
      halfOpenAfter: limits.hookBreakerResetMs,
    })
    this.#breaker.onBreak(() => ports.log('hook_breaker_opened', { hook: this.name, resetMs: limits.hookBreakerResetMs }))
    this.#breaker.onReset(() => ports.log('hook_breaker_closed', { hook: this.name }))
    // A question that were to wait longer would be kept for nobody.
    const isRepeated = (error: unknown): boolean => isRetried(error) && retryAfterOf(error) < limits.hookTimeoutMs
    this.#retry = retry(handleWhen(isRepeated), {
      maxAttempts: limits.hookRetries,
      backoff: new DelegateBackoff(
        ({ result, attempt }) =>
          ('error' in result && retryAfterOf(result.error)) || fullJitterGenerator(attempt - 1, BACKOFF)[0],
      ),
    }).dangerouslyUnref()
  }

  /** Of the circuit breaker. */
  get state(): 'closed' | 'open' | 'half_open' {
    return STATES[this.#breaker.state]
  }

  async ask(question: Question, signal: AbortSignal): Promise<unknown> {
    const body = encodeJson(question)
    // The breaker counts calls, so it stands behind what repeats them; nobody waits for one that comes after the time.
    const text = await this.#retry.execute(() => {
      if (signal.aborted) throw new HookFailure('timeout', 'no answer in time')
      return this.#call(question.id, body, signal)
    }, signal)
    return parseAnswer(text)
  }

  async deliver(notices: readonly Notice[], signal: AbortSignal): Promise<void> {
    const [first] = notices
    if (first) await this.#call(first.id, encodeJson({ events: notices }), signal)
  }

  async #call(id: string, body: string, signal: AbortSignal): Promise<string> {
    try {
      return await this.#breaker.execute(() => this.#post(id, body, signal))
    } catch (cause) {
      if (!isBrokenCircuitError(cause)) throw cause
      throw new HookFailure('broken', `${this.name} is left alone after too many failures`, { cause })
    }
  }

  async #post(id: string, body: string, signal: AbortSignal): Promise<string> {
    const { signer, userAgent } = this.#ports
    const dispatcher = await this.#ports.dispatcher
    const now = Date.now()
    const { origin, pathname, search } = this.#url
    try {
      const response = await dispatcher.request({
        method: 'POST',
        origin,
        path: `${pathname}${search}`,
        headers: { 'content-type': 'application/json', 'user-agent': userAgent, ...signer.headers(id, now, body) },
        body,
        signal,
        // The id lets its receiver drop a repetition.
        idempotent: true,
      })
      return await readAnswer(response, this.#limits.hookMaxAnswerBytes, now)
    } catch (cause) {
      if (cause instanceof HookFailure) throw cause
      if (signal.aborted) throw new HookFailure('timeout', 'no answer in time', { cause })
      throw new HookFailure('unreachable', cause instanceof Error ? cause.message : String(cause), { cause })
    }
  }
}
