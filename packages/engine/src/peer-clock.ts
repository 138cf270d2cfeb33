import type { DisconnectCode } from '@fusewire/protocol'
import type { ConnectionPhase } from './connection-lifecycle.ts'
import { Heartbeat, type HeartbeatLimits } from './heartbeat.ts'
import type { Connection } from './ports/connection.ts'
import type { Session } from './session.ts'
import type { Timed, TimerWheel, Wait } from './timer-wheel.ts'

/** The connection that a {@link PeerClock} ends when its time is over. */
export interface ClockedPeer {
  readonly connection: Connection
  readonly phase: ConnectionPhase
  /** While it is connected. */
  readonly session: Session | undefined
  end(code: DisconnectCode): void
}

export interface ClockLimits extends HeartbeatLimits {
  /** How long a connection may stay without any message, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs: number
}

export interface ClockPorts {
  readonly now: () => number
  readonly wheel: TimerWheel
  readonly limits: ClockLimits
}

/** What time does to a connection: it may not stay silent for ever, nor longer than its token lasts. */
export class PeerClock implements Timed {
  wait: Wait | undefined
  readonly #peer: ClockedPeer
  readonly #ports: ClockPorts
  readonly #heartbeat: Heartbeat

  constructor(peer: ClockedPeer, ports: ClockPorts) {
    this.#peer = peer
    this.#ports = ports
    this.#heartbeat = new Heartbeat(ports.limits, peer.connection.probe !== undefined, ports.now())
  }

  /** Something has come from the client itself. */
  heard(): void {
    this.#heartbeat.heard(this.#ports.now())
  }

  /** The client keeps its own heartbeat. */
  pinged(): void {
    this.#heartbeat.pinged()
  }

  /** A sign of life that the client's transport gives by itself. */
  alive(): void {
    this.#heartbeat.alive(this.#ports.now())
  }

  /** Looks again in time; to be called when that may be sooner than it was. */
  watch(): void {
    this.#ports.wheel.hasten(this, this.#nextLook(this.#ports.now()))
  }

  /** The clock has leaped: where it was to look again means nothing any more. */
  restart(): void {
    const now = this.#ports.now()
    this.#heartbeat.heard(now)
    this.#ports.wheel.schedule(this, this.#nextLook(now))
  }

  stop(): void {
    this.#ports.wheel.cancel(this)
  }

  due(now: number): number | undefined {
    const end = this.#reasonToEnd(now)
    if (end) {
      this.#peer.end(end)
      return undefined
    }
    if (this.#heartbeat.isToBeAsked(now)) this.#peer.connection.probe?.()
    return this.#nextLook(now)
  }

  #reasonToEnd(now: number): DisconnectCode | undefined {
    if (this.#peer.phase === 'silent') return 'connect_timeout'
    if (now >= this.#tokenEnd) return 'token_expired'
    return this.#heartbeat.isMissed(now) ? 'heartbeat_timeout' : undefined
  }

  #nextLook(now: number): number {
    if (this.#peer.phase === 'silent') return now + this.#ports.limits.connectTimeoutMs
    return Math.min(this.#heartbeat.nextLook(now), this.#tokenEnd)
  }

  get #tokenEnd(): number {
    return this.#peer.session?.identity.expiresAt ?? Number.POSITIVE_INFINITY
  }
}
