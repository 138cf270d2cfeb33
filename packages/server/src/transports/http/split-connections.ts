import { randomBytes } from 'node:crypto'
import { type Peer, RenewingMap, type TransportName } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { type Line, receiveLine } from './line-receiver.ts'
import { UpstreamSequence, type UpstreamSequenceLimits } from './upstream-sequence.ts'

export interface SplitConnectionLimits extends UpstreamSequenceLimits {
  readonly maxDepth: number
}

/** The upstream half of a connection whose downstream is a response: what the client sends comes in numbered requests. */
export class SplitConnection {
  readonly transport: TransportName
  readonly #peer: Peer
  readonly #maxDepth: number
  readonly #sequence: UpstreamSequence<readonly Line[]>

  constructor(transport: TransportName, peer: Peer, limits: SplitConnectionLimits) {
    this.transport = transport
    this.#peer = peer
    this.#maxDepth = limits.maxDepth
    this.#sequence = new UpstreamSequence(limits)
  }

  /** Takes the lines of request number `seq`. False when it is too far ahead of the ones before it. */
  receive(seq: number, lines: readonly Line[], byteLength: number): boolean {
    const ready = this.#sequence.accept(seq, lines, byteLength)
    if (ready === 'too_far') return false
    if (ready === 'duplicate') this.#peer.alive()
    else for (const next of ready) this.receiveLines(next)
    return true
  }

  /** Takes lines that came with the request which opened the connection, and so before any that has a number. */
  receiveLines(lines: readonly Line[]): void {
    for (const line of lines) receiveLine(this.#peer, line, this.#maxDepth)
  }
}

/** Bytes of chance in a connection secret: 144 bits. */
const SECRET_BYTES = 18

/** A node, and what of 144 bits is written in base64url. */
const SECRET = /^(.{1,64})\.[\w-]{24}$/u

/** The split connections of this node, by the secret that their requests carry. */
export class SplitConnections {
  readonly #bySecret = new RenewingMap<string, SplitConnection>()
  readonly #node: string

  constructor(node: string) {
    this.#node = node
  }

  /** Names the node that owns the connection, for requests that reach another one. */
  newSecret(): string {
    return `${this.#node}.${randomBytes(SECRET_BYTES).toString('base64url')}`
  }

  /** The other node that has made the secret; undefined for one of this node, and for what is none. */
  ownerOf(secret: string): string | undefined {
    const node = SECRET.exec(secret)?.[1]
    return node === this.#node ? undefined : node
  }

  add(secret: string, connection: SplitConnection): void {
    this.#bySecret.set(secret, connection)
  }

  remove(secret: string): void {
    this.#bySecret.delete(secret)
  }

  /** Throws `unknown_connection` when there is none. */
  find(secret: string): SplitConnection {
    const connection = this.#bySecret.get(secret)
    if (!connection) throw new FusewireError('unknown_connection')
    return connection
  }
}
