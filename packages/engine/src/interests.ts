import type { Awaitable } from './ports/broker.ts'

interface Interest<Who> {
  readonly those: Set<Who>
  /** When the channel's publications come. */
  readonly ready: Awaitable<void>
}

const NOBODY: ReadonlySet<never> = new Set()

/** Who is interested in which channel, of several that share a broker: it is asked once for all of them. */
export class Interests<Who> {
  readonly #broker: { subscribe(channel: string): Awaitable<void>; unsubscribe(channel: string): Awaitable<void> }
  readonly #interests = new Map<string, Interest<Who>>()

  constructor(broker: { subscribe(channel: string): Awaitable<void>; unsubscribe(channel: string): Awaitable<void> }) {
    this.#broker = broker
  }

  of(channel: string): ReadonlySet<Who> {
    return this.#interests.get(channel)?.those ?? NOBODY
  }

  /** Publications of the channel come from the moment this answers. Idempotent. */
  add(channel: string, who: Who): Awaitable<void> {
    const known = this.#interests.get(channel)
    if (known) {
      known.those.add(who)
      return known.ready
    }
    const interest = { those: new Set([who]), ready: this.#broker.subscribe(channel) }
    this.#interests.set(channel, interest)
    if (interest.ready instanceof Promise)
      interest.ready.catch(() => {
        // Whoever comes next asks again.
        if (this.#interests.get(channel) === interest) this.#interests.delete(channel)
      })
    return interest.ready
  }

  /** The last one ends the broker's interest. Idempotent. */
  remove(channel: string, who: Who): Awaitable<void> {
    const interest = this.#interests.get(channel)
    if (!interest?.those.delete(who) || interest.those.size > 0) return
    this.#interests.delete(channel)
    return this.#broker.unsubscribe(channel)
  }
}
