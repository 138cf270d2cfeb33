import type { Notice, Question } from '@fusewire/engine'

/** Where hooks lead: a handler of this process, or a backend. */
export interface HookTarget {
  /** For the log. */
  readonly name: string
  /** Notices that it takes at a time. */
  readonly batchSize: number
  /** Gives the answer, not checked yet. MUST reject with a `HookFailure`, and SHOULD give up when the signal says so. */
  ask(question: Question, signal: AbortSignal): Promise<unknown>
  /** Tells, in this order. MUST reject with a `HookFailure` unless all of them have arrived. */
  deliver(notices: readonly Notice[], signal: AbortSignal): Promise<void>
}
