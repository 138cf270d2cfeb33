import { closeAction, type ErrorCode, FusewireError, isErrorCode, type ServerMessage } from '@fusewire/protocol'

export type Decision =
  | { readonly kind: 'undecided' }
  /** Begin the response: the stream is live. */
  | { readonly kind: 'open' }
  /** Answer with the error's status: EventSource gives up for good. */
  | { readonly kind: 'refuse'; readonly error: FusewireError }
  /** Begin the response and end it at once: EventSource comes back, which it would not do after any status but 200. */
  | { readonly kind: 'retry' }

/**
 * Decides how the response to a one-way request begins, from the first messages that its connection is sent: it is live with the
 * first channel that is subscribed, and refused when the connection is, or each of its channels.
 */
export class OneWayGate {
  readonly #unanswered: Set<string>
  #firstError: FusewireError | undefined
  #isRetryable = false
  #decision: Decision = { kind: 'undecided' }

  constructor(channels: Iterable<string>) {
    this.#unanswered = new Set(channels)
  }

  get decision(): Decision {
    return this.#decision
  }

  see(message: ServerMessage): void {
    if (this.#decision.kind !== 'undecided') return
    switch (message.type) {
      case 'subscribed':
        if (this.#unanswered.has(message.channel)) this.#decision = { kind: 'open' }
        return
      case 'error':
        this.#note(message.code, message.message, message.retryable)
        if (message.channel !== undefined) this.#unanswered.delete(message.channel)
        if (message.channel === undefined || this.#unanswered.size === 0) this.#giveUp()
        return
      case 'disconnect':
        this.#note(message.code, message.reason, closeAction(message.closeCode) === 'reconnect')
        this.#giveUp()
        return
      default:
    }
  }

  /** The connection ends. */
  end(code: ErrorCode, reason: string): void {
    if (this.#decision.kind !== 'undecided') return
    const error = new FusewireError(code, reason)
    this.#note(code, reason, error.retryable)
    this.#giveUp()
  }

  #note(code: string, message: string, retryable: boolean): void {
    this.#firstError ??= new FusewireError(isErrorCode(code) ? code : 'internal_error', message)
    this.#isRetryable ||= retryable
  }

  #giveUp(): void {
    const error = this.#firstError
    this.#decision = this.#isRetryable || !error ? { kind: 'retry' } : { kind: 'refuse', error }
  }
}
