import { within } from '../../within.ts'
import { ForeignStreamError, isLeaderless, JETSTREAM_CODES, JetStreamError, unavailable } from './nats-error.ts'
import type { NatsSession } from './nats-session.ts'
import { retryPause } from './retry-pause.ts'

export interface StreamCheckOptions {
  /** Of the stream. */
  readonly name: string
  /** After which a question of {@link StreamCheck.pass} is asked again, in milliseconds. */
  readonly attemptMs: number
  /** Makes the stream or takes the one that is there; rejects with why it cannot be used. Without a time the session's own is meant. */
  readonly check: (session: NatsSession, attemptMs?: number) => Promise<void>
}

/**
 * Whether a stream is what it has to be. After any other connection than the one over which that was found out it may be another one,
 * or none; so nothing is done with it before it has been looked at again.
 */
export class StreamCheck {
  readonly #options: StreamCheckOptions
  #passedOver: NatsSession | undefined
  #running: Promise<void> | undefined

  constructor(options: StreamCheckOptions) {
    this.#options = options
  }

  hasPassed(session: NatsSession): boolean {
    return this.#passedOver === session
  }

  /** Somebody may have deleted the stream: it is looked at again. */
  doubt(): void {
    this.#passedOver = undefined
  }

  async run(session: NatsSession, attemptMs?: number): Promise<void> {
    await this.#options.check(session, attemptMs)
    this.#passedOver = session
  }

  /**
   * Resolves once the stream has passed over this connection. Tries until the deadline, as long as the connection stands: a server that
   * holds an election may not answer. Rejects with `broker_unavailable`: at once with what does not pass by itself, else at the deadline
   * with the last reason as `cause`.
   */
  async pass(session: NatsSession, deadline: number): Promise<void> {
    const { name, attemptMs } = this.#options
    let reason: unknown
    while (!this.hasPassed(session)) {
      const left = deadline - performance.now()
      if (left <= 0) throw unavailable(`the stream ${name} of NATS has not answered in time`, reason)
      this.#running ??= this.run(session, attemptMs).finally(() => {
        this.#running = undefined
      })
      try {
        await within(this.#running, left, () => undefined)
      } catch (error) {
        if (!session.isOpen || error instanceof ForeignStreamError) throw error
        if (error instanceof JetStreamError && !mayPass(error))
          throw unavailable(`NATS at ${session.name} cannot keep the stream ${name}: ${error.message}`, error)
        reason = error
        await retryPause()
      }
    }
  }
}

const { clusterIncomplete, noSuitablePeers, clusterNotActive, clusterNotAssigned, clusterNotLeader, streamOffline } =
  JETSTREAM_CODES
const PASSING = new Set<number>([
  clusterIncomplete,
  noSuitablePeers,
  clusterNotActive,
  clusterNotAssigned,
  clusterNotLeader,
  streamOffline,
])

/** Servers that are missing, or have yet to agree, may be back in a moment. */
const mayPass = (error: JetStreamError): boolean => isLeaderless(error) || PASSING.has(error.code)
