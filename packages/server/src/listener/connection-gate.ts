import { TokenBucket } from '@fusewire/engine'

export interface GateLimits {
  /** TCP connections of this node. Default 100,000. */
  readonly maxConnections: number
  /** TCP connections of one address. Default 10,000. */
  readonly maxConnectionsPerAddress: number
  /** TCP connections that are accepted in a second, in the long run; twice as many at once. Default 2,000. */
  readonly handshakesPerSecond: number
  /** The same of one address. Default 2,000. */
  readonly handshakesPerSecondPerAddress: number
}

/** The connections of one address. */
interface Tally {
  connections: number
  readonly handshakes: TokenBucket
}

const newBucket = (perSecond: number, now: number): TokenBucket => new TokenBucket(perSecond, 2 * perSecond, now)

/**
 * Decides on TCP connections before anything is spent on them: no byte has been read, and no key exchange begun. An address is
 * remembered for as long as it has connections, or could use a fresh bucket to begin anew.
 */
export class ConnectionGate {
  readonly #limits: GateLimits
  readonly #handshakes: TokenBucket
  readonly #addresses = new Map<string, Tally>()
  #connections = 0

  constructor(limits: GateLimits, now: number) {
    this.#limits = limits
    this.#handshakes = newBucket(limits.handshakesPerSecond, now)
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#addresses.size
  }

  /** Counts a connection in, or names the limit that it exceeds. `address` is absent where it is not limited. */
  enter(address: string | undefined, now: number): keyof GateLimits | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits
    const tally = address === undefined ? undefined : this.#tallyOf(address, now)
    // What one address has too much of comes first, so that it takes nothing from the others.
    if (tally && tally.connections >= maxConnectionsPerAddress) return 'maxConnectionsPerAddress'
    if (tally && tally.handshakes.take(1, now) > 0) return 'handshakesPerSecondPerAddress'
    if (this.#connections >= maxConnections) return 'maxConnections'
    if (this.#handshakes.take(1, now) > 0) return 'handshakesPerSecond'
    this.#connections++
    if (tally) tally.connections++
    return undefined
  }

  /** A connection that had been counted in has ended. */
  leave(address: string | undefined): void {
    this.#connections--
    const tally = address === undefined ? undefined : this.#addresses.get(address)
    if (tally) tally.connections--
  }

  /** Forgets addresses of which nothing is left to remember. To be called every few seconds. */
  sweep(now: number): void {
    for (const [address, { connections, handshakes }] of this.#addresses)
      if (connections === 0 && handshakes.isFull(now)) this.#addresses.delete(address)
  }

  #tallyOf(address: string, now: number): Tally {
    const known = this.#addresses.get(address)
    if (known) return known
    const tally = { connections: 0, handshakes: newBucket(this.#limits.handshakesPerSecondPerAddress, now) }
    this.#addresses.set(address, tally)
    return tally
  }
}
