import type { Log } from '@fusewire/engine'
import type { Hub } from '../brokers/hub/hub.ts'
import { VERSION } from '../version.ts'
import type { FailedStart, ToPrimary, ToWorker, Welcome } from './control.ts'
import { Respawn } from './respawn.ts'
import { type WorkerCommand, type WorkerExit, WorkerProcess } from './worker-process.ts'

/** How long a worker may take until it serves, before it is taken for one that never will. */
const START_TIMEOUT_MS = 30_000
/** Pings in a row that a worker may leave unanswered: one that stands still is sent connections by the system all the while. */
const MAX_UNANSWERED = 6
/** How much longer than a drain may take a worker is waited for that has closed its line to the hub. */
const OVERTIME_MS = 1000

/**
 * The worker of one number:
 *
 *     starting ──serving──▶ serving
 *        ▲  └──────ended──────┤
 *        │                    ▼
 *        └──────────────── waiting ──leave──▶ gone ◀──ended, while leaving── starting, serving
 */
type PlaceState =
  | { readonly kind: 'starting'; readonly process: WorkerProcess; readonly deadline: NodeJS.Timeout; failure?: FailedStart }
  | { readonly kind: 'serving'; readonly process: WorkerProcess; readonly since: number; unanswered: number }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'gone' }

export interface PlaceOptions {
  readonly command: WorkerCommand
  /** Of its worker, from 1. */
  readonly number: number
  /** What a worker that begins now is told. */
  readonly welcome: () => Welcome
  readonly hub: Hub | undefined
  readonly log: Log
  /** How long leaving may take, in milliseconds. */
  readonly drainTimeoutMs: number
  readonly events: PlaceEvents
}

export interface PlaceEvents {
  serving(place: Place): void
  /** Its worker has ended, and another one will take its place. */
  ended(place: Place, failure: FailedStart | undefined): void
  /** It has left for good. */
  gone(place: Place): void
  drain(): void
  gather(place: Place, question: number): void
  collected(place: Place, question: number, text: string): void
}

/** Keeps one worker running: whichever ends is replaced by another with the same number, until it is asked to leave. */
export class Place {
  readonly #options: PlaceOptions
  readonly #respawn = new Respawn()
  #state: PlaceState = { kind: 'gone' }
  #leaving: 'drain' | 'close' | undefined
  /** Workers that have taken the place of others. */
  restarts = 0

  constructor(options: PlaceOptions) {
    this.#options = options
  }

  get number(): number {
    return this.#options.number
  }

  get isServing(): boolean {
    return this.#state.kind === 'serving'
  }

  /** Its worker has failed again and again. */
  get isHopeless(): boolean {
    return this.#respawn.isHopeless
  }

  start(): void {
    const process = this.#spawn()
    const deadline = setTimeout(() => {
      this.#stalled(process, 'it did not begin to serve')
    }, START_TIMEOUT_MS)
    this.#state = { kind: 'starting', process, deadline }
  }

  tell<Name extends keyof ToWorker>(name: Name, ...values: ToWorker[Name]): void {
    this.#process?.tell(name, ...values)
  }

  /** Has its worker leave, well or now; {@link PlaceEvents.gone} is called when it has. Called again, it can hurry it. */
  leave(how: 'drain' | 'close'): void {
    this.#leaving = how
    if (this.#state.kind === 'waiting') {
      clearTimeout(this.#state.timer)
      this.#go()
    } else this.tell(how)
  }

  kill(): void {
    this.#process?.kill()
  }

  /**
   * Asks whether its worker is alive, and ends it when it has not answered for long; to be called at intervals. When this process has
   * stood still itself, one question is missing, and not many.
   */
  ping(): void {
    if (this.#state.kind !== 'serving') return
    if (this.#state.unanswered < MAX_UNANSWERED) {
      this.#state.unanswered++
      this.tell('ping')
    } else this.#stalled(this.#state.process, 'it does not answer')
  }

  get #process(): WorkerProcess | undefined {
    return 'process' in this.#state ? this.#state.process : undefined
  }

  #spawn(): WorkerProcess {
    const { command, hub, log, welcome, drainTimeoutMs } = this.#options
    const process: WorkerProcess = new WorkerProcess(command, hub !== undefined, this.#handlers, (exit) =>
      this.#ended(process, exit),
    )
    log('worker_started', { worker: this.number, pid: process.pid })
    if (process.hubSocket)
      hub?.accept(process.hubSocket, {
        onClosed: (reason) => {
          if (reason === 'unread') this.#stalled(process, 'it did not read what it was sent')
          else setTimeout(() => process.kill(), drainTimeoutMs + OVERTIME_MS).unref()
        },
      })
    process.tell('welcome', welcome())
    return process
  }

  readonly #handlers = {
    hello: (version) => {
      if (version === VERSION) return
      this.#fail({ message: `it is Fusewire ${version}, and this is ${VERSION}: restart the server` })
    },
    serving: () => {
      if (this.#state.kind !== 'starting') return
      clearTimeout(this.#state.deadline)
      this.#state = { kind: 'serving', process: this.#state.process, since: performance.now(), unanswered: 0 }
      if (this.#leaving) this.tell(this.#leaving)
      else this.#options.events.serving(this)
    },
    failed: (failure) => this.#fail(failure),
    pong: () => {
      if (this.#state.kind === 'serving') this.#state.unanswered = 0
    },
    drain: () => this.#options.events.drain(),
    gather: (question) => this.#options.events.gather(this, question),
    collected: (question, text) => this.#options.events.collected(this, question, text),
  } satisfies { [Name in keyof ToPrimary]: (...values: ToPrimary[Name]) => void }

  #stalled(process: WorkerProcess, reason: string): void {
    this.#options.log('worker_stalled', { worker: this.number, pid: process.pid, reason })
    process.kill()
  }

  #fail(failure: FailedStart): void {
    if (this.#state.kind === 'starting') this.#state.failure = failure
    this.kill()
  }

  #ended(process: WorkerProcess, { code, signal, error }: WorkerExit): void {
    const state = this.#state
    const servedMs = state.kind === 'serving' ? Math.round(performance.now() - state.since) : undefined
    const failure = state.kind === 'starting' ? state.failure : undefined
    if (state.kind === 'starting') clearTimeout(state.deadline)
    const why = failure ? errorOf(failure) : error
    const details = { worker: this.number, pid: process.pid, code, signal, servedMs, ...(why && { error: why }) }
    if (this.#leaving) {
      this.#options.log('worker_left', { worker: this.number, pid: process.pid, code, signal })
      this.#go()
      return
    }
    const restartMs = this.#respawn.ended({ servedMs, isClean: code === 0 && servedMs !== undefined })
    this.#options.log('worker_ended', { ...details, restartMs })
    this.#state = {
      kind: 'waiting',
      timer: setTimeout(() => {
        this.restarts++
        this.start()
      }, restartMs),
    }
    this.#options.events.ended(this, failure)
  }

  #go(): void {
    this.#state = { kind: 'gone' }
    this.#options.events.gone(this)
  }
}

/** What is no defect is said by its words alone. */
const errorOf = ({ message, stack }: FailedStart): Error | string =>
  stack === undefined ? message : Object.assign(new Error(message), { stack })
