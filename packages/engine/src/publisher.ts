import { assertKeepsState } from './access.ts'
import type { Awaitable, Broker, PublicationDraft, Published, PublishOptions } from './ports/broker.ts'
import type { RuleBook } from './rule-book.ts'

/** What a publisher may ask for; the rest is the rule's. */
export type PublishRequest = Pick<PublishOptions, 'idempotencyKey' | 'ifPosition'>

/** Publishes under the channel's rule: what clients and the application go through alike. */
export class Publisher {
  readonly #broker: Broker
  readonly #rules: RuleBook

  constructor(broker: Broker, rules: RuleBook) {
    this.#broker = broker
    this.#rules = rules
  }

  /** Throws `feature_disabled` for a patch where there is nothing to be patched. */
  publish(channel: string, draft: PublicationDraft, options: PublishRequest = {}): Awaitable<Published> {
    const rule = this.#rules.of(channel)
    if (draft.patch) assertKeepsState(channel, rule)
    const { historySize, historyTtlMs, historyBytes, state, stateTtlMs, maxDocumentBytes } = rule
    return this.#broker.publish(channel, draft, {
      historySize,
      historyTtlMs,
      historyBytes,
      ...options,
      ...(state && { state: { ttlMs: stateTtlMs, maxDocumentBytes } }),
    })
  }
}
