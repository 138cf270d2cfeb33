import type { ClientMessage } from '../messages/client-message.ts'
import type { ServerMessage } from '../messages/server-message.ts'

/** The text or bytes of one WebSocket frame, NDJSON body or line. */
export type Payload = string | Uint8Array

/** Turns messages into payloads and back. Pure; both ends use the same one. */
export interface Codec {
  readonly name: 'json' | 'msgpack'
  /** `text`: payloads are strings; `binary`: payloads are Uint8Array. */
  readonly frame: 'text' | 'binary'
  encode(message: ClientMessage | ServerMessage): Payload
  /** Joins payloads of single messages into one payload that carries all of them. */
  join(payloads: readonly Payload[]): Payload
  /**
   * Reads the values of a payload with one or several messages, not yet checked (see `acceptClientMessage`).
   * MUST throw {@link MessageError} and nothing else.
   */
  decode(payload: Payload, maxDepth: number): unknown[]
}
