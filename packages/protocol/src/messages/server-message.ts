import { type Connected, connected } from './connected.ts'
import { type Disconnect, disconnect } from './disconnect.ts'
import { type Echo, echo } from './echo.ts'
import { type ErrorMessage, error } from './error.ts'
import { type Join, join } from './join.ts'
import { type Leave, leave } from './leave.ts'
import { type Open, open } from './open.ts'
import { type Pong, pong } from './pong.ts'
import { type PublicationMessage, publication } from './publication.ts'
import { type Result, result } from './result.ts'
import { type Subscribed, subscribed } from './subscribed.ts'
import { type Unsubscribed, unsubscribed } from './unsubscribed.ts'

export type ServerMessage =
  | Open
  | Connected
  | Subscribed
  | PublicationMessage
  | Join
  | Leave
  | Unsubscribed
  | Pong
  | Echo
  | Result
  | ErrorMessage
  | Disconnect

/** Every message that a server may send, by type. */
export const SERVER_MESSAGES = {
  open,
  connected,
  subscribed,
  publication,
  join,
  leave,
  unsubscribed,
  pong,
  echo,
  result,
  error,
  disconnect,
} as const
