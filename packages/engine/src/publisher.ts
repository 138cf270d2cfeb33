import { assertChannelName } from './channel-name.ts'
import type { Awaitable, Broker, HistoryPage, HistoryQuery, PublicationDraft, Published } from './ports/broker.ts'
import type { RuleBook } from './rule-book.ts'

/** A channel's stream under its rule: what everyone who publishes or reads history goes through. */
export class Publisher {
  readonly #broker: Broker
  readonly #rules: RuleBook

  constructor(broker: Broker, rules: RuleBook) {
    this.#broker = broker
    this.#rules = rules
  }

  publish(channel: string, draft: PublicationDraft, idempotencyKey?: string): Awaitable<Published> {
    assertChannelName(channel)
    const { historySize, historyTtlMs } = this.#rules.of(channel)
    return this.#broker.publish(channel, draft, {
      historySize,
      historyTtlMs,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    })
  }

  history(channel: string, query: HistoryQuery): Awaitable<HistoryPage> {
    assertChannelName(channel)
    return this.#broker.history(channel, query)
  }
}
