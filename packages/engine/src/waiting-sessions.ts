import type { AdmissionLimits } from './admission.ts'
import { KeyedSets } from './keyed-sets.ts'
import type { Session } from './session.ts'
import type { Timed, TimerWheel } from './timer-wheel.ts'

export interface WaitingSessionsPorts {
  readonly now: () => number
  readonly wheel: TimerWheel
  readonly limits: AdmissionLimits & { readonly sessionTtlMs: number }
  /** What counts as one address; undefined where it is not limited. */
  readonly groupOf: (address: string) => string | undefined
  /** The TTL of this session has ended; MUST {@link WaitingSessions.delete} it. */
  readonly onExpired: (session: Session) => void
}

/** A session that has to give way, and the limit that wants it. */
export interface GivingWay {
  readonly session: Session
  readonly limit: keyof AdmissionLimits
}

/**
 * The sessions without a connection, each until its TTL ends. As many may wait as may be connected, of the node and of each address:
 * a client that comes and goes over streams of one HTTP/2 connection shakes hands once, and leaves a session each time.
 */
export class WaitingSessions implements Timed {
  readonly #ports: WaitingSessionsPorts
  /** When the TTL of each ends, in milliseconds since the epoch. Those that wait longest come first, here and of each address. */
  readonly #ends = new Map<Session, number>()
  readonly #byGroup = new KeyedSets<Session>()

  constructor(ports: WaitingSessionsPorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#ends.size
  }

  /** The TTL begins. Answers with the one that has waited longest where too many wait now. */
  add(session: Session): GivingWay | undefined {
    const { limits, wheel, now } = this.#ports
    const group = this.#groupOf(session)
    const until = now() + limits.sessionTtlMs
    this.#ends.set(session, until)
    this.#byGroup.add(group, session)
    if (this.size === 1) wheel.schedule(this, until)
    if (group !== undefined && this.#byGroup.countOf(group) > limits.maxConnectionsPerAddress)
      return givingWay(this.#byGroup.firstOf(group), 'maxConnectionsPerAddress')
    return this.size > limits.maxConnections ? givingWay(this.#ends.keys().next().value, 'maxConnections') : undefined
  }

  /** It waits no longer. Its `client` MUST be what it was. */
  delete(session: Session): void {
    if (!this.#ends.delete(session)) return
    this.#byGroup.delete(this.#groupOf(session), session)
    if (this.size === 0) this.#ports.wheel.cancel(this)
  }

  /** Ends those whose time is over: of all that wait, only the first needs a deadline. */
  due(now: number): number | undefined {
    for (const [session, until] of this.#ends) {
      if (until > now) return until
      this.#ports.onExpired(session)
    }
    return undefined
  }

  /** The clock has leaped, and nobody knows how long they have waited: the TTL of each begins again. */
  restartClock(now: number): void {
    const { wheel, limits } = this.#ports
    const until = now + limits.sessionTtlMs
    for (const session of this.#ends.keys()) this.#ends.set(session, until)
    if (this.size > 0) wheel.schedule(this, until)
  }

  /** Of its last connection. */
  #groupOf({ client }: Session): string | undefined {
    return this.#ports.groupOf(client.remoteAddress)
  }
}

const givingWay = (session: Session | undefined, limit: keyof AdmissionLimits): GivingWay | undefined =>
  session && { session, limit }
