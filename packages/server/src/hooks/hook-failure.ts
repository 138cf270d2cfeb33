/**
 * How asking or telling the application can fail. `retry`: a question is asked again within its time. `redeliver`: notices are told
 * again later, until they are too old. `breaks`: it counts towards the circuit breaker, because the backend is not there.
 */
const FAILURES = {
  /** No connection, one that broke, or a proxy that says so: 502, 503, 504. */
  unreachable: { retry: true, redeliver: true, breaks: true },
  /** It asks for patience: 429. */
  busy: { retry: true, redeliver: true, breaks: false },
  /** It has failed itself: another 5xx, or a handler that threw. */
  faulty: { retry: false, redeliver: true, breaks: true },
  /** It has not answered in time. */
  timeout: { retry: false, redeliver: true, breaks: true },
  /** It was not asked: the circuit breaker is open. */
  broken: { retry: false, redeliver: true, breaks: false },
  /** It does not take this: 3xx, 4xx. */
  refused: { retry: false, redeliver: false, breaks: false },
  /** It has answered what is no answer. */
  malformed: { retry: false, redeliver: false, breaks: false },
} as const

export type HookFailureKind = keyof typeof FAILURES

/** The application could not be asked or told. */
export class HookFailure extends Error {
  override readonly name = 'HookFailure'
  readonly kind: HookFailureKind
  /** How long it asks to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(
    kind: HookFailureKind,
    message: string,
    { retryAfterMs, cause }: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? {} : { cause })
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }
}

/** What was thrown, as a failure; anything unforeseen is the application's fault. */
export const asHookFailure = (error: unknown): HookFailure =>
  error instanceof HookFailure
    ? error
    : new HookFailure('faulty', error instanceof Error ? error.message : String(error), { cause: error })

export const isRetried = (error: unknown): boolean => error instanceof HookFailure && FAILURES[error.kind].retry
export const isRedelivered = (error: HookFailure): boolean => FAILURES[error.kind].redeliver
export const isBreaking = (error: unknown): boolean => error instanceof HookFailure && FAILURES[error.kind].breaks
