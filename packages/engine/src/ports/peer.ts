import type { ClientMessage, FusewireError } from '@fusewire/protocol'

/** The engine's side of one connection; transports call it. None of its methods throws. */
export interface Peer {
  /** A decoded message of the protocol, and its share of the bytes that it came in. */
  receive(message: ClientMessage, bytes: number): void
  /** Input that could not be accepted: answered with `error`; too many of them end the connection. */
  reject(error: FusewireError): void
  /** A sign of life that is no message: a WebSocket pong, a poll. */
  alive(): void
  /** The stream has ended. Idempotent. */
  closed(): void
}
