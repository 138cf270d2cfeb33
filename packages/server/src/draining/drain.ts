import { type DrainEffect, type DrainEvent, type DrainState, type DrainTimes, deadlineOf, drainMove } from './drain-state.ts'

/** What a drain does to its node; see {@link DrainEffect}. */
export interface DrainHandlers {
  stop(): void
  /** MUST call {@link Drain.left} when nobody is here that has not been told. */
  move(windowMs: number): void
  /** MUST resolve, and not reject, when no connection is here any more; that may take until `cut`. */
  end(): Promise<void>
  cut(): void
  /** `leftMs`: of `drainTimeoutMs`. */
  release(leftMs: number): Promise<void>
  /** Called after every step to another state. */
  changed?(state: DrainState): void
}

/** Leads one node through its leaving, on one timer. */
export class Drain {
  readonly #times: DrainTimes
  readonly #handlers: DrainHandlers
  /** Settles when the node has ended, whoever has asked for it. */
  readonly done: Promise<void>
  #resolve: (released: Promise<void>) => void = () => {}
  #state: DrainState = 'serving'
  #beganAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor(times: DrainTimes, handlers: DrainHandlers) {
    this.#times = times
    this.#handlers = handlers
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    // Whoever waits for it is told; that nobody does is no reason to end the process.
    this.done.catch(() => {})
  }

  get state(): DrainState {
    return this.#state
  }

  /** Leaves well. Idempotent. */
  begin(): Promise<void> {
    this.#move('drain')
    return this.done
  }

  /** Leaves now: what was a drain goes on without a window. Idempotent. */
  close(): Promise<void> {
    this.#move('close')
    return this.done
  }

  /** Nobody is here that has not been told. */
  left(): void {
    this.#move('left')
  }

  #move(event: DrainEvent): void {
    const before = this.#state
    const { to, effects } = drainMove(before, event)
    if (before === 'serving') this.#beganAt = performance.now()
    this.#state = to
    if (to !== before) {
      this.#watch()
      this.#handlers.changed?.(to)
    }
    for (const effect of effects) this.#effects[effect]()
  }

  readonly #effects: Record<DrainEffect, () => void> = {
    stop: () => this.#handlers.stop(),
    move: () => this.#handlers.move(this.#times.drainWindowMs),
    end: () => void this.#handlers.end().then(() => this.#move('gone')),
    cut: () => this.#handlers.cut(),
    release: () => this.#resolve(this.#handlers.release(this.#leftOf(this.#times.drainTimeoutMs))),
  }

  #watch(): void {
    clearTimeout(this.#timer)
    const deadline = deadlineOf(this.#state, this.#times)
    if (deadline === undefined) return
    this.#timer = setTimeout(() => this.#move('time'), this.#leftOf(deadline))
  }

  /** Of a time that was counted from the beginning. */
  #leftOf(ms: number): number {
    return Math.max(0, this.#beganAt + ms - performance.now())
  }
}
