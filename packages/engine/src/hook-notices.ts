import { identified } from './hook-questions.ts'
import type { Environment } from './ports/environment.ts'
import type { Hooks, InformingEvent, UnsubscribeReason } from './ports/hooks.ts'
import type { SessionRecord } from './ports/session-store.ts'
import type { SessionEnd } from './session.ts'

/** A session, wherever it is. */
type Someone = Pick<SessionRecord, 'id' | 'identity' | 'client'>

/** Tells the application what has happened, where it wants to hear it. */
export class HookNotices {
  readonly #hooks: Hooks
  readonly #environment: Environment

  constructor(hooks: Hooks, environment: Environment) {
    this.#hooks = hooks
    this.#environment = environment
  }

  /** `id` is that of the event where it may be told again, by whichever node. */
  disconnected(session: Someone, reason: SessionEnd, id?: string): void {
    if (this.#hooks.takes('disconnect')) this.#hooks.tell({ ...this.#about('disconnect', session, id), reason })
  }

  unsubscribed(session: Someone, channel: string, reason: UnsubscribeReason, id?: string): void {
    if (!this.#hooks.takes('unsubscribe', channel)) return
    this.#hooks.tell({ ...this.#about('unsubscribe', session, id), channel, reason })
  }

  occupied(channel: string): void {
    if (this.#hooks.takes('channel_occupied', channel)) this.#hooks.tell({ ...this.#stamp('channel_occupied'), channel })
  }

  vacated(channel: string): void {
    if (this.#hooks.takes('channel_vacated', channel)) this.#hooks.tell({ ...this.#stamp('channel_vacated'), channel })
  }

  #stamp<E extends InformingEvent>(event: E, id = this.#environment.id()): { event: E; id: string; time: number } {
    return { event, id, time: this.#environment.now() }
  }

  #about<E extends InformingEvent>(event: E, session: Someone, id?: string) {
    return { ...this.#stamp(event, id), session: session.id, ...identified(session.identity), ...session.client }
  }
}
