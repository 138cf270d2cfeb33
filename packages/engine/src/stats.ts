import type { ClientMessage, ErrorCode } from '@fusewire/protocol'

/** Limits of the engine, by the names of their options. */
export type EngineLimitName =
  | 'messagesPerSecond'
  | 'bytesPerSecond'
  | 'maxRateLimited'
  | 'maxConnections'
  | 'maxConnectionsPerAddress'
  | 'maxConnectionsPerUser'
  | 'maxBadMessages'
  | 'maxPendingRequests'
  | 'maxChannelsPerSession'
  | 'maxRevocations'
  | 'maxMessageBytes'
  | 'maxDepth'

/** Plain counters that only grow, and gauges of what is there now; read by the metrics when they are scraped. */
export interface EngineStats {
  /** Messages taken from clients, by type. */
  readonly messagesIn: Readonly<Record<ClientMessage['type'], number>>
  /** Publications that reached this node. */
  readonly publications: number
  /** Publications, joins and leaves handed to connections. */
  readonly deliveries: number
  /** Refusals sent to clients, by code. */
  readonly errors: Readonly<Partial<Record<ErrorCode, number>>>
  /** Connections ended by the server, by code. */
  readonly disconnects: Readonly<Partial<Record<ErrorCode, number>>>
  /** What was refused or ended because it was beyond a limit, by limit. */
  readonly refusals: Readonly<Partial<Record<EngineLimitName, number>>>
  readonly sessionsCreated: number
  readonly sessionsResumed: number
  /** Sessions whose TTL ended after a break. */
  readonly sessionsExpired: number
  /** Sessions taken over from other nodes. */
  readonly sessionsTaken: number
  /** Sessions that other nodes have taken over, or have ended. */
  readonly sessionsLetGo: number
  /** Sessions of nodes that have died, which this one has ended. */
  readonly sessionsSwept: number
  /** Calls that the store of sessions has refused. */
  readonly sessionStoreFailures: number
  /** Subscriptions that named a position and got everything after it, or were told that something is missing. */
  readonly recoveries: { readonly complete: number; readonly incomplete: number }
  /** Now: connections, sessions (attached and detached), subscriptions, channels with subscribers. */
  readonly connections: number
  readonly sessions: number
  readonly detachedSessions: number
  readonly subscriptions: number
  readonly channels: number
  /** Revocations in force. */
  readonly revocations: number
  /** Deadlines that wait for their time: of heartbeats, sessions and tokens. */
  readonly deadlines: number
}

/** The counters behind {@link EngineStats}, incremented in place. */
export class Counters {
  readonly messagesIn: Record<ClientMessage['type'], number> = {
    connect: 0,
    subscribe: 0,
    unsubscribe: 0,
    publish: 0,
    history: 0,
    presence: 0,
    rpc: 0,
    refresh: 0,
    ping: 0,
    echo: 0,
    disconnect: 0,
  }
  publications = 0
  deliveries = 0
  readonly errors: Partial<Record<ErrorCode, number>> = {}
  readonly disconnects: Partial<Record<ErrorCode, number>> = {}
  readonly refusals: Partial<Record<EngineLimitName, number>> = {}
  sessionsCreated = 0
  sessionsResumed = 0
  sessionsExpired = 0
  sessionsTaken = 0
  sessionsLetGo = 0
  sessionsSwept = 0
  sessionStoreFailures = 0
  readonly recoveries = { complete: 0, incomplete: 0 }

  error(code: ErrorCode): void {
    this.errors[code] = (this.errors[code] ?? 0) + 1
  }

  refuse(limit: EngineLimitName): void {
    this.refusals[limit] = (this.refusals[limit] ?? 0) + 1
  }

  disconnect(code: ErrorCode): void {
    this.disconnects[code] = (this.disconnects[code] ?? 0) + 1
  }
}
