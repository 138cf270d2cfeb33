import type { Log, NodeBus } from '@fusewire/engine'
import { within } from '../within.ts'
import { BusLink } from './bus-link.ts'
import { type CallHandler, type CallOptions, Calls, type Gathered, type NoticeHandler } from './calls.ts'
import { type ClusterStats, createClusterStats } from './cluster-stats.ts'
import { Membership, type Whereabouts } from './membership.ts'
import type { NodeFacts } from './node-facts.ts'

export interface ClusterPorts {
  /** Identifier of this node. */
  readonly node: string
  readonly bus: NodeBus
  /** Milliseconds of a clock that does not leap when the time is set. */
  readonly now: () => number
  /** True while nothing can come over the bus. MUST answer from memory. */
  readonly isCutOff: () => boolean
  readonly log: Log
}

const MIB = 1024 * 1024

/** Bytes of one message between nodes: lists of channels and answers of polls may be long. */
const MAX_MESSAGE_BYTES = 32 * MIB

/** How long a node that leaves tries to say so. */
const GOODBYE_TIMEOUT_MS = 1000

/** A waiting poll is a call that waits, so there may be as many as there are clients. */
const CALL_LIMITS = { maxPending: 65_536, maxPendingBytes: 64 * MIB, maxRunning: 65_536 }

/** The other nodes: which there are, and what passes between them and this one. */
export class Cluster {
  readonly stats: ClusterStats = createClusterStats()
  readonly #link: BusLink
  readonly #membership: Membership
  readonly #calls: Calls
  readonly #leaveListeners: ((node: string) => void)[] = []
  #self: (() => NodeFacts) | undefined
  #isClosed = false

  constructor({ node, bus, now, isCutOff, log }: ClusterPorts) {
    const { stats } = this
    this.#link = new BusLink({
      node,
      bus,
      stats,
      now,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      received: (message) => {
        if (!this.#self || this.#isClosed) return
        this.#membership.heard(message)
        this.#calls.received(message)
      },
    })
    this.#calls = new Calls({ send: (message, to) => this.#link.send(message, to), now, limits: CALL_LIMITS, stats, log })
    this.#membership = new Membership({
      self: () => this.#facts(),
      // What a node tells of itself it tells again.
      send: (message, to) => void this.#link.send(message, to).catch(() => undefined),
      now,
      isCutOff,
      onLeft: (left) => {
        this.#calls.nodeLeft(left)
        for (const listener of this.#leaveListeners) listener(left)
      },
      stats,
      log,
    })
  }

  /** The other nodes that are known. */
  get others(): readonly NodeFacts[] {
    return this.#membership.others
  }

  whereabouts(node: string): Whereabouts {
    return this.#membership.whereabouts(node)
  }

  /** Called with every node that has gone. */
  onLeft(listener: (node: string) => void): void {
    this.#leaveListeners.push(listener)
  }

  handle(name: string, handler: CallHandler): void {
    this.#calls.handle(name, handler)
  }

  handleNotice(name: string, handler: NoticeHandler): void {
    this.#calls.handleNotice(name, handler)
  }

  /** See {@link Calls.ask}. */
  ask(node: string, name: string, data: unknown, options: CallOptions): Promise<unknown> {
    return this.#calls.ask(node, name, data, options)
  }

  /** Asks all other nodes that are known. Never rejects. */
  askAll(name: string, data: unknown, options: CallOptions): Promise<Gathered> {
    return this.#calls.askAll(
      this.others.map(({ node }) => node),
      name,
      data,
      options,
    )
  }

  notify(node: string, name: string, data: unknown): void {
    this.#calls.notify(node, name, data)
  }

  /** Opens the bus and asks who is there. `self` is what this node tells of itself; calls are answered from now on. */
  async start(self: () => NodeFacts): Promise<void> {
    this.#self = self
    await this.#link.start()
    this.#membership.start()
  }

  /** Tells the others at once what has changed. */
  announce(): void {
    if (this.#self && !this.#isClosed) this.#membership.announce()
  }

  /** To be called several times a second. */
  tick(now: number): void {
    if (!this.#self || this.#isClosed) return
    this.#membership.tick()
    this.#calls.tick()
    this.#link.tick(now)
  }

  /** Says goodbye and closes the bus. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#calls.close()
    if (this.#self) await this.#sayGoodbye()
    await this.#link.close()
  }

  /** Those who do not hear it find out by its silence. */
  async #sayGoodbye(): Promise<void> {
    const sent = this.#link.send({ type: 'left' }).catch(() => undefined)
    await within(sent, GOODBYE_TIMEOUT_MS, () => undefined)
  }

  #facts(): NodeFacts {
    if (!this.#self) throw new Error('the cluster has not been started')
    return this.#self()
  }
}
