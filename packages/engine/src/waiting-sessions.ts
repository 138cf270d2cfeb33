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
  /** The TTL of this session has ended. */
  readonly onExpired: (session: Session) => void
}

interface Wait {
  readonly expiry: Timed
  /** Of its last connection. */
  readonly group: string | undefined
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
export class WaitingSessions {
  readonly #ports: WaitingSessionsPorts
  /** Those that wait longest come first, here and of each address. */
  readonly #waits = new Map<Session, Wait>()
  readonly #byGroup = new KeyedSets<Session>()

  constructor(ports: WaitingSessionsPorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#waits.size
  }

  /** The TTL begins. Answers with the one that has waited longest where too many wait now. */
  add(session: Session): GivingWay | undefined {
    const { groupOf, onExpired, limits } = this.#ports
    const group = groupOf(session.client.remoteAddress)
    const expiry: Timed = {
      due: () => {
        onExpired(session)
        return undefined
      },
    }
    this.#waits.set(session, { expiry, group })
    this.#byGroup.add(group, session)
    this.#schedule(expiry, this.#ports.now())
    if (group !== undefined && this.#byGroup.countOf(group) > limits.maxConnectionsPerAddress)
      return givingWay(this.#byGroup.firstOf(group), 'maxConnectionsPerAddress')
    return this.size > limits.maxConnections ? givingWay(this.#waits.keys().next().value, 'maxConnections') : undefined
  }

  /** It waits no longer. */
  delete(session: Session): void {
    const wait = this.#waits.get(session)
    if (!wait) return
    this.#ports.wheel.cancel(wait.expiry)
    this.#waits.delete(session)
    this.#byGroup.delete(wait.group, session)
  }

  /** The clock has leaped, and nobody knows how long they have waited: the TTL of each begins again. */
  restartClock(now: number): void {
    for (const { expiry } of this.#waits.values()) this.#schedule(expiry, now)
  }

  #schedule(expiry: Timed, now: number): void {
    this.#ports.wheel.schedule(expiry, now + this.#ports.limits.sessionTtlMs)
  }
}

const givingWay = (session: Session | undefined, limit: keyof AdmissionLimits): GivingWay | undefined =>
  session && { session, limit }
