import type { Log } from '@fusewire/engine'
import type { Outgoing } from './bus-link.ts'
import type { BusMessage } from './bus-message.ts'
import type { ClusterStats } from './cluster-stats.ts'
import type { NodeFacts } from './node-facts.ts'

/** How often a node tells of itself. */
const ALIVE_INTERVAL_MS = 2000
/** A node that has been silent for so long is gone. */
const SILENCE_MS = 10_000
/** After this time of listening, every node that lives has been heard. */
const SETTLE_MS = 2 * ALIVE_INTERVAL_MS + 1000
/** Between two ticks of a process that runs the clock moves by less than this. */
const MAX_TICK_GAP_MS = 3000
/** Nodes known at a time, and nodes remembered that have gone. */
const MAX_NODES = 1024

/** Where a node is, as far as this one knows. */
export type Whereabouts =
  | 'here'
  | 'gone'
  /** This node has not listened for long enough to know, or cannot hear the others now. */
  | 'unsure'

export interface MembershipPorts {
  /** What this node tells of itself, now. */
  readonly self: () => NodeFacts
  /** MUST NOT throw. */
  readonly send: (message: Outgoing, to?: string) => void
  /** Milliseconds of a clock that does not leap when the time is set. */
  readonly now: () => number
  /** True while nothing can come over the bus: silence tells nothing then. MUST answer from memory. */
  readonly isCutOff: () => boolean
  /** Called with a node that has gone. */
  readonly onLeft: (node: string) => void
  readonly stats: ClusterStats
  readonly log: Log
}

interface Known {
  facts: NodeFacts
  heardAt: number
}

/** Which other nodes there are: those that have told of themselves and have not been silent since. */
export class Membership {
  readonly #ports: MembershipPorts
  readonly #known = new Map<string, Known>()
  /** Nodes that have gone; with the moment of their start when they have said so themselves, and so never come back. */
  readonly #gone = new Map<string, number | undefined>()
  #tickedAt: number
  #nextAliveAt: number
  /** Until then a node that was not heard may be there all the same. */
  #settledAt: number
  #wasCutOff = false

  constructor(ports: MembershipPorts) {
    this.#ports = ports
    const now = ports.now()
    this.#tickedAt = now
    this.#nextAliveAt = now
    this.#settledAt = now + SETTLE_MS
  }

  /** The others, in the order in which they were met. */
  get others(): readonly NodeFacts[] {
    return [...this.#known.values()].map(({ facts }) => facts)
  }

  /** Asks who is there. To be called once the bus is open. */
  start(): void {
    this.#restart(this.#ports.now())
    this.#ask()
  }

  whereabouts(node: string): Whereabouts {
    if (this.#ports.isCutOff()) return 'unsure'
    if (this.#known.has(node)) return 'here'
    return this.#gone.has(node) || this.#ports.now() >= this.#settledAt ? 'gone' : 'unsure'
  }

  /** Takes what has come from another node: whatever it is, its sender lives. */
  heard(message: BusMessage): void {
    const now = this.#ports.now()
    const { from } = message
    switch (message.type) {
      case 'alive':
        this.#met(message.facts, now)
        return
      case 'who':
        this.#met(message.facts, now)
        this.#ports.send({ type: 'alive', facts: this.#ports.self() }, from)
        return
      case 'left':
        this.#leave(from, 'goodbye')
        return
      default: {
        const known = this.#known.get(from)
        if (known) known.heardAt = now
      }
    }
  }

  /** To be called several times a second. */
  tick(): void {
    const { now: clock, isCutOff } = this.#ports
    const now = clock()
    const gap = now - this.#tickedAt
    this.#tickedAt = now
    const cutOff = isCutOff()
    const hasStoodStill = gap > MAX_TICK_GAP_MS || gap < 0
    // What the others have said in between has not been heard, or was not read yet: nobody is gone for that.
    if (cutOff || hasStoodStill) this.#restart(now)
    if (!cutOff && (hasStoodStill || this.#wasCutOff)) this.#ask()
    this.#wasCutOff = cutOff
    if (cutOff) return
    if (now >= this.#nextAliveAt) this.announce()
    for (const [node, { heardAt }] of this.#known) if (now - heardAt >= SILENCE_MS) this.#leave(node, 'silence')
  }

  /** Tells of this node now, instead of when it is due. */
  announce(): void {
    this.#nextAliveAt = this.#ports.now() + ALIVE_INTERVAL_MS
    this.#ports.send({ type: 'alive', facts: this.#ports.self() })
  }

  /** Everyone gets as long to be heard as if it had been heard just now. */
  #restart(now: number): void {
    for (const known of this.#known.values()) known.heardAt = now
    this.#settledAt = now + SETTLE_MS
    this.#nextAliveAt = Math.min(this.#nextAliveAt, now + ALIVE_INTERVAL_MS)
  }

  #ask(): void {
    this.#ports.send({ type: 'who', facts: this.#ports.self() })
  }

  #met(facts: NodeFacts, now: number): void {
    const { node, startedAt, host, version } = facts
    // Its goodbye has overtaken what it said before.
    if (this.#gone.get(node) === startedAt) return
    const known = this.#known.get(node)
    if (known?.facts.startedAt === startedAt) {
      known.facts = facts
      known.heardAt = now
      return
    }
    // Another process has taken the name: whatever was asked of the one before will not be answered.
    if (known) this.#leave(node, 'replaced')
    if (this.#known.size >= MAX_NODES) {
      this.#ports.stats.refused.too_many_nodes++
      return
    }
    this.#gone.delete(node)
    this.#known.set(node, { facts, heardAt: now })
    this.#ports.log('node_joined', { node, host, version })
  }

  #leave(node: string, reason: 'goodbye' | 'silence' | 'replaced'): void {
    const known = this.#known.get(node)
    if (!known) return
    this.#known.delete(node)
    this.#gone.delete(node)
    this.#gone.set(node, reason === 'goodbye' ? known.facts.startedAt : undefined)
    const [oldest] = this.#gone.keys()
    if (oldest !== undefined && this.#gone.size > MAX_NODES) this.#gone.delete(oldest)
    this.#ports.log('node_left', { node, host: known.facts.host, reason })
    this.#ports.onLeft(node)
  }
}
