import { ClientPeer, type PeerPorts } from './client-peer.ts'
import { ClockWatch } from './clock-watch.ts'
import { DenseSet } from './dense-set.ts'
import { Departures } from './departures.ts'
import type { EngineParts, EnginePorts } from './engine-parts.ts'
import type { Connection } from './ports/connection.ts'
import type { Environment } from './ports/environment.ts'
import type { Peer } from './ports/peer.ts'

/** How a client that comes too many is told so: by a node that is full, or about itself. */
const CODE_OF_LIMIT = { maxConnections: 'overloaded', maxConnectionsPerAddress: 'too_many_connections' } as const

/** When a client that was one too many may try again. */
const REFUSED_FOR_MS = 10_000

/** The connections of this node: who is let in, the clock that all of them live by, and how they leave together. */
export class Connections {
  readonly #environment: Environment
  readonly #parts: EngineParts
  readonly #peerPorts: PeerPorts
  /** Those that are counted. */
  readonly #peers = new DenseSet<ClientPeer>()
  /** While this node drains. */
  #departures: Departures | undefined
  readonly #clock: ClockWatch

  constructor(parts: EngineParts, { environment, limits, log }: EnginePorts) {
    this.#environment = environment
    this.#parts = parts
    this.#clock = new ClockWatch(environment.now(), limits.pongTimeoutMs)
    this.#peerPorts = {
      ...parts,
      now: parts.shared ? () => this.#watchedNow() : () => environment.now(),
      limits,
      log,
      onClosed: (peer) => this.#closed(peer),
    }
  }

  get size(): number {
    return this.#peers.size
  }

  /** Takes a new connection. */
  open(connection: Connection): Peer {
    const peer = new ClientPeer(connection, this.#peerPorts)
    const limit = this.#parts.admission.enter(connection.remoteAddress)
    if (limit) {
      this.#parts.counters.refuse(limit)
      // Not before its transport knows the peer.
      void Promise.resolve().then(() => peer.end(CODE_OF_LIMIT[limit], `more than ${limit} allows`, REFUSED_FOR_MS))
    } else {
      this.#peers.add(peer)
      this.#departures?.add(peer)
    }
    return peer
  }

  /** Turns the clock of those that are here, and tells those whose moment has come to leave. */
  tick(now: number): void {
    if (this.#clock.tick(now)) this.#restartClock(now)
    this.#departures?.advance(now)
  }

  /**
   * Tells every client to come back elsewhere, each at a moment of its own within `windowMs`, and those that still come as well.
   * Called again it can shorten the window, not lengthen it.
   */
  drain(windowMs: number): void {
    const now = this.#environment.now()
    if (!this.#departures) {
      this.#departures = new Departures(() => this.#environment.random(), now)
      for (const peer of this.#peers.members) this.#departures.add(peer)
    }
    this.#departures.endBy(now + windowMs)
    this.#departures.advance(now)
  }

  /** Connections that have not been told yet to leave. */
  get staying(): number {
    return this.#departures?.size ?? this.#peers.size
  }

  /** Tells every client to come back elsewhere, whatever it waits for. */
  disconnectAll(): void {
    for (const peer of [...this.#peers.members]) peer.depart()
  }

  /** Whoever is heard first after this process stood still may be a session that another node has by now. */
  #watchedNow(): number {
    const now = this.#environment.now()
    if (this.#clock.leapt(now)) this.#restartClock(now)
    return now
  }

  #restartClock(now: number): void {
    for (const peer of this.#peers.members) peer.restartClock()
    this.#parts.sessions.restartClock(now)
    const checked = this.#parts.shared?.woke()
    if (checked) for (const peer of this.#peers.members) peer.hold(checked)
  }

  #closed(peer: ClientPeer): void {
    this.#departures?.remove(peer)
    // One that was refused had not been counted.
    if (this.#peers.delete(peer)) this.#parts.admission.leave(peer.connection.remoteAddress)
  }
}
