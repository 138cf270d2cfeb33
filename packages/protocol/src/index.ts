export type { Codec, Payload } from './codecs/codec.ts'
export { encodeJson, jsonCodec } from './codecs/json.ts'
export { acceptClientMessage, acceptServerMessage, MessageError } from './decode.ts'
export {
  type CloseAction,
  closeAction,
  type DisconnectCode,
  ERRORS,
  type ErrorCode,
  type ErrorEntry,
  FusewireError,
  isErrorCode,
} from './errors.ts'
export { jsonSize } from './json-size.ts'
export { LIMITS } from './limits.ts'
export { LineDecoder } from './line-decoder.ts'
export { type MergePatch, mergePatch } from './merge-patch.ts'
export type { ClientDisconnect } from './messages/client-disconnect.ts'
export { CLIENT_MESSAGES, type ClientMessage } from './messages/client-message.ts'
export type { Connect } from './messages/connect.ts'
export type { Connected } from './messages/connected.ts'
export type { Disconnect } from './messages/disconnect.ts'
export type { Echo } from './messages/echo.ts'
export type { ErrorMessage } from './messages/error.ts'
export type { History } from './messages/history.ts'
export type { Join } from './messages/join.ts'
export type { Leave } from './messages/leave.ts'
export type { Member } from './messages/member.ts'
export type { Open } from './messages/open.ts'
export type { Ping } from './messages/ping.ts'
export type { Pong } from './messages/pong.ts'
export type { Position } from './messages/position.ts'
export type { Presence } from './messages/presence.ts'
export type { Publication, PublicationMessage } from './messages/publication.ts'
export type { Publish } from './messages/publish.ts'
export type { Refresh } from './messages/refresh.ts'
export type { Result } from './messages/result.ts'
export { type HistoryResult, type PresenceResult, type PublishResult, RESULTS, type RefreshResult } from './messages/results.ts'
export type { Rpc } from './messages/rpc.ts'
export { SERVER_MESSAGES, type ServerMessage } from './messages/server-message.ts'
export type { Subscribe, SubscriptionRequest } from './messages/subscribe.ts'
export type { Subscribed } from './messages/subscribed.ts'
export type { Unsubscribe } from './messages/unsubscribe.ts'
export type { Unsubscribed } from './messages/unsubscribed.ts'
export { ALPN, ECHO_PATH, PATHS, PROTOCOL_VERSION, SUBPROTOCOL } from './version.ts'
