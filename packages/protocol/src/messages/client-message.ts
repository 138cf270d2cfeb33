import { type ClientDisconnect, clientDisconnect } from './client-disconnect.ts'
import { type Connect, connect } from './connect.ts'
import { type Echo, echo } from './echo.ts'
import { type History, history } from './history.ts'
import { type Ping, ping } from './ping.ts'
import { type Presence, presence } from './presence.ts'
import { type Publish, publish } from './publish.ts'
import { type Refresh, refresh } from './refresh.ts'
import { type Rpc, rpc } from './rpc.ts'
import { type Subscribe, subscribe } from './subscribe.ts'
import { type Unsubscribe, unsubscribe } from './unsubscribe.ts'

export type ClientMessage =
  | Connect
  | Subscribe
  | Unsubscribe
  | Publish
  | History
  | Presence
  | Rpc
  | Refresh
  | Ping
  | Echo
  | ClientDisconnect

/** Every message that a client may send, by type. */
export const CLIENT_MESSAGES = {
  connect,
  subscribe,
  unsubscribe,
  publish,
  history,
  presence,
  rpc,
  refresh,
  ping,
  echo,
  disconnect: clientDisconnect,
} as const
