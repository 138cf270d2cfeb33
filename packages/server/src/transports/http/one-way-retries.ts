import type { ServerMessage, SubscriptionRequest } from '@fusewire/protocol'
import { spread } from './spread.ts'

export interface OneWayRetriesPorts {
  /** How long a channel that is refused for now is left alone on average, in milliseconds, besides what the refusal asks for. */
  readonly retryMs: number
  readonly subscribe: (request: SubscriptionRequest) => void
}

/**
 * Asks again for the channels that a one-way stream could not have for now, while it goes on with others: its client has nothing to ask
 * with, and would have to break the stream for it.
 */
export class OneWayRetries {
  readonly #requests: ReadonlyMap<string, SubscriptionRequest>
  readonly #ports: OneWayRetriesPorts
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(requests: readonly SubscriptionRequest[], ports: OneWayRetriesPorts) {
    this.#requests = new Map(requests.map((request) => [request.channel, request]))
    this.#ports = ports
  }

  see(message: ServerMessage): void {
    if (message.type !== 'error' || !message.retryable || message.channel === undefined) return
    // Nothing of the channel has come yet, so that its position is still the one of the URL.
    const request = this.#requests.get(message.channel)
    if (!request) return
    const { retryMs, subscribe } = this.#ports
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        subscribe(request)
      },
      (message.retryAfterMs ?? 0) + spread(retryMs),
    )
    this.#timers.add(timer)
  }

  /** The stream has ended. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }
}
