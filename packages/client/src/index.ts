export type { Codec, Connected, Position, PublishResult, ServerMessage } from '@fusewire/protocol'
export {
  Channel,
  type ChannelEvents,
  type ChannelOptions,
  type HistoryOptions,
  type HistoryResult,
  type Member,
  type Publication,
  type PublishOptions,
} from './channel.ts'
export { type ClientEvents, FusewireClient } from './client.ts'
export { ClientError, type FailureKind, type LocalErrorCode } from './client-error.ts'
export type { ConnectionInfo, ConnectionStatus } from './connection-info.ts'
export type { ClientOptions } from './options.ts'
export type { EventSourceLike, WebSocketLike } from './platform.ts'
export type { TransportName } from './routes.ts'
export type { SubscribedEvent, UnsubscribedEvent } from './session/subscription.ts'
export type { TokenReason } from './session/token-keeper.ts'
