import type { Answers, Awaitable, DecidingEvent, InformingEvent, Notice, Notices, Question, Questions } from '@fusewire/engine'
import { asHookFailure } from './hook-failure.ts'
import type { HookTarget } from './hook-target.ts'

/** Decides in this process. What it throws is a failure, not a refusal. */
export type DecisionHandler<E extends DecidingEvent> = (question: Questions[E], signal: AbortSignal) => Awaitable<Answers[E]>

/** Hears in this process, of one event at a time, in their order; called again with the same when it throws. */
export type NoticeHandler<E extends InformingEvent> = (notice: Notices[E], signal: AbortSignal) => Awaitable<void>

/** A handler of the embedding program. Its type is checked where it is added. */
export type AnyHandler = (about: never, signal: AbortSignal) => unknown

type Untyped = (about: Question | Notice, signal: AbortSignal) => unknown

/** Leads to a function of this process. */
export class HandlerTarget implements HookTarget {
  readonly name = 'handler'
  readonly batchSize = 1
  readonly #handler: Untyped

  constructor(handler: AnyHandler) {
    this.#handler = handler as Untyped
  }

  async ask(question: Question, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#handler(question, signal)
    } catch (error) {
      throw asHookFailure(error)
    }
  }

  async deliver(notices: readonly Notice[], signal: AbortSignal): Promise<void> {
    try {
      for (const notice of notices) await this.#handler(notice, signal)
    } catch (error) {
      throw asHookFailure(error)
    }
  }
}
