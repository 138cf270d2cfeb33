export type { Access, Action, Capability } from './access.ts'
export type { Authenticator, ChannelGrant, Identity } from './ports/authenticator.ts'
export type {
  Awaitable,
  Broker,
  BrokerListener,
  HistoryPage,
  HistoryQuery,
  PresenceStore,
  PublicationDraft,
  Published,
  PublishOptions,
} from './ports/broker.ts'
export type { Connection, Frame, FrameFormat, TransportName } from './ports/connection.ts'
export type { Environment } from './ports/environment.ts'
export type { Peer } from './ports/peer.ts'
export { type ChannelRule, compilePattern, DEFAULT_RULE, DEVELOPMENT_RULE } from './rule.ts'
