import type { TransportName } from '@fusewire/engine'
import type { TransportTraffic } from './traffic.ts'
import type { TransportContext } from './transport-context.ts'

/** Whose lag it is. */
export interface Lagging {
  readonly transport: TransportName
  readonly remoteAddress: string
}

/** What the metrics and the log hear of a connection that is behind: that frames wait for it. Made when it first is. */
export class Lag {
  readonly #context: Pick<TransportContext, 'traffic' | 'log'>
  readonly #connection: Lagging
  #isBehind = false
  #hasConflated = false

  constructor(context: Pick<TransportContext, 'traffic' | 'log'>, connection: Lagging) {
    this.#context = context
    this.#connection = connection
    this.#traffic.fellBehind++
  }

  get #traffic(): TransportTraffic {
    return this.#context.traffic[this.#connection.transport]
  }

  /** Idempotent, as {@link end} is. */
  begin(): void {
    if (this.#isBehind) return
    this.#isBehind = true
    this.#traffic.behind++
  }

  end(): void {
    if (!this.#isBehind) return
    this.#isBehind = false
    this.#traffic.behind--
  }

  /** A frame has made way for a newer one; so much waits now. Logged once a connection, for a slow one does little else. */
  conflated(bufferedBytes: number): void {
    this.#traffic.conflated++
    if (this.#hasConflated) return
    this.#hasConflated = true
    this.#log('slow_consumer_conflated', bufferedBytes)
  }

  /** Too much waits, and the connection ends. */
  overflowed(bufferedBytes: number): void {
    this.#traffic.slowDisconnects++
    this.#log('slow_consumer', bufferedBytes)
  }

  #log(event: string, bufferedBytes: number): void {
    const { transport, remoteAddress } = this.#connection
    this.#context.log(event, { transport, remoteAddress, bufferedBytes })
  }
}
