export type { Access, Action, Capability } from './access.ts'
export { ConflictError } from './conflict-error.ts'
export { DenseSet, NO_PLACE, type Placed } from './dense-set.ts'
export { Engine } from './engine.ts'
export type { EngineLimits, EnginePorts } from './engine-parts.ts'
export { Interests } from './interests.ts'
export { Lanes } from './lanes.ts'
export type { Log } from './log.ts'
export { MemoryBroker, type MemoryBrokerOptions } from './memory/memory-broker.ts'
export { MemoryBus } from './memory/memory-bus.ts'
export { MemoryPresence } from './memory/memory-presence.ts'
export { MemoryRevocations, type MemoryRevocationsOptions } from './memory/memory-revocations.ts'
export { MemorySessions, type MemorySessionsOptions } from './memory/memory-sessions.ts'
export { SharedPresence, type SharedPresenceOptions } from './memory/shared-presence.ts'
export type { SnapshotRecord } from './memory/snapshot-record.ts'
export { compilePattern, type Pattern } from './pattern.ts'
export type { Authenticator, ChannelGrant, Identity } from './ports/authenticator.ts'
export type {
  Announcement,
  Awaitable,
  Broker,
  BrokerListener,
  ChannelState,
  DocumentOptions,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishOptions,
} from './ports/broker.ts'
export type { Connection, Frame, FrameFormat, Multicast, Slot, TransportName } from './ports/connection.ts'
export type { Environment } from './ports/environment.ts'
export {
  type Answers,
  type ChannelOccupiedNotice,
  type ChannelVacatedNotice,
  type ClientDetails,
  type ConnectQuestion,
  DENIAL_CODES,
  type DecidingEvent,
  type DenialCode,
  type DisconnectNotice,
  type HookEvent,
  type Hooks,
  type InformingEvent,
  type Notice,
  type Notices,
  type PublishQuestion,
  type Question,
  type Questions,
  type RefreshQuestion,
  type RpcQuestion,
  type SubscribeQuestion,
  type UnsubscribeNotice,
  type UnsubscribeReason,
} from './ports/hooks.ts'
export type { NodeBus, NodeBusListener } from './ports/node-bus.ts'
export type { Peer } from './ports/peer.ts'
export type { PresenceStore } from './ports/presence-store.ts'
export type { RevocationListener, Revocations } from './ports/revocations.ts'
export type {
  RefreshResult,
  SessionRecord,
  SessionStore,
  SessionStoreListener,
  SubscriptionRecord,
} from './ports/session-store.ts'
export type { PublishRequest } from './publisher.ts'
export { RenewingMap } from './renewing-map.ts'
export type { Revocation, TokenMark } from './revocation.ts'
export type { RevocationTarget, RevokeOptions } from './revoker.ts'
export { type RpcCaller, type RpcHandler, RpcRouter } from './rpc-router.ts'
export { type ChannelRule, DEFAULT_RULE, DEVELOPMENT_RULE, type RecoveryMode, type SlowConsumerPolicy } from './rule.ts'
export { RuleBook } from './rule-book.ts'
export type { SessionEnd } from './session.ts'
export type { Target } from './sessions.ts'
export type { EngineLimitName, EngineStats } from './stats.ts'
export { type Timed, TimerWheel } from './timer-wheel.ts'
export { TokenBucket } from './token-bucket.ts'
export { isTokenError } from './token-error.ts'
export { type Move, move, nextMove, type TransitionTable } from './transition-table.ts'
