import { identified } from './hook-questions.ts'
import type { Environment } from './ports/environment.ts'
import type { Hooks, InformingEvent, UnsubscribeReason } from './ports/hooks.ts'
import type { Session, SessionEnd } from './session.ts'

/** Tells the application what has happened, where it wants to hear it. */
export class HookNotices {
  readonly #hooks: Hooks
  readonly #environment: Environment

  constructor(hooks: Hooks, environment: Environment) {
    this.#hooks = hooks
    this.#environment = environment
  }

  disconnected(session: Session, reason: SessionEnd): void {
    if (this.#hooks.takes('disconnect')) this.#hooks.tell({ ...this.#about('disconnect', session), reason })
  }

  unsubscribed(session: Session, channel: string, reason: UnsubscribeReason): void {
    if (!this.#hooks.takes('unsubscribe', channel)) return
    this.#hooks.tell({ ...this.#about('unsubscribe', session), channel, reason })
  }

  occupied(channel: string): void {
    if (this.#hooks.takes('channel_occupied', channel)) this.#hooks.tell({ ...this.#stamp('channel_occupied'), channel })
  }

  vacated(channel: string): void {
    if (this.#hooks.takes('channel_vacated', channel)) this.#hooks.tell({ ...this.#stamp('channel_vacated'), channel })
  }

  #stamp<E extends InformingEvent>(event: E): { event: E; id: string; time: number } {
    return { event, id: this.#environment.id(), time: this.#environment.now() }
  }

  #about<E extends InformingEvent>(event: E, session: Session) {
    return { ...this.#stamp(event), session: session.id, ...identified(session.identity), ...session.client }
  }
}
