import type { Awaitable, Broker, PublicationDraft, Published } from './ports/broker.ts'
import type { RuleBook } from './rule-book.ts'

/** Publishes under the channel's rule: what clients and the application go through alike. */
export class Publisher {
  readonly #broker: Broker
  readonly #rules: RuleBook

  constructor(broker: Broker, rules: RuleBook) {
    this.#broker = broker
    this.#rules = rules
  }

  publish(channel: string, draft: PublicationDraft, idempotencyKey?: string): Awaitable<Published> {
    const { historySize, historyTtlMs } = this.#rules.of(channel)
    return this.#broker.publish(channel, draft, {
      historySize,
      historyTtlMs,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    })
  }
}
