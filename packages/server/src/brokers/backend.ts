import type { Awaitable, Broker, Environment, Log, NodeBus, PresenceStore, Revocations, SessionStore } from '@fusewire/engine'
import type { FusewireError } from '@fusewire/protocol'
import type { BrokerStats } from './broker-stats.ts'
import type { SnapshotStats } from './snapshot-broker.ts'

export interface BackendContext {
  /** Identifier of this process. */
  readonly node: string
  readonly environment: Environment
  readonly log: Log
}

/** What nodes share, besides what they publish. */
export interface SharedStores {
  readonly sessions: SessionStore
  readonly bus: NodeBus
}

/** Everything behind a node that keeps and carries: one broker's implementations of the engine's ports. */
export interface Backend {
  readonly broker: Broker
  readonly presence: PresenceStore
  readonly revocations: Revocations
  /** Absent where there is no other node. */
  readonly shared?: SharedStores
  /**
   * Reaches what is outside of the process; to be awaited before its ports are started. Absent where there is nothing.
   * @throws ConfigurationError which says what to do, when it cannot be reached within `brokerTimeoutMs` or is not what it is said to be.
   */
  readonly open?: () => Promise<void>
  /** Why it cannot do its work at the moment; undefined while it can. For readiness: answered from memory. */
  problem(): FusewireError | undefined
  /** Forgets what has expired. To be called about once a second. */
  sweep(): void
  /** Lets go of what is outside of the process; after its ports have been closed, or when they could not be started. Idempotent. */
  readonly close?: () => Awaitable<void>
  /** How this node gets on with it, for the metrics. */
  readonly stats: BrokerStats
  /** Absent where nothing is kept on disk. */
  readonly snapshots?: SnapshotStats
}
