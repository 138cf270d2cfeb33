import type { ClientMessage } from '../messages/client-message.ts'
import type { ServerMessage } from '../messages/server-message.ts'

/** The text or bytes of one WebSocket frame, NDJSON body or line. */
export type Payload = string | Uint8Array

/** Turns messages into payloads and back. Pure; both ends use the same one. */
export interface Codec {
  readonly name: 'json' | 'msgpack'
  /** `text`: payloads are strings; `binary`: payloads are Uint8Array. */
  readonly frame: 'text' | 'binary'
  /**
   * Writes one message. Fields whose value is undefined are left out, objects with a `toJSON` method are written as what it gives.
   * Throws {@link MessageError} for data that cannot be carried: a bigint, or nesting beyond `LIMITS.depth`, cycles included.
   */
  encode(message: ClientMessage | ServerMessage): Payload
  /** Joins payloads of single messages into one payload that carries all of them. */
  join(payloads: readonly Payload[]): Payload
  /**
   * Reads the values of a payload with one or several messages, not yet checked (see `acceptClientMessage`). A payload is read as
   * a whole or not at all. MUST throw {@link MessageError} and nothing else. `maxDepth` guards codecs that read recursively; it is
   * `acceptClientMessage` that holds every message to it.
   */
  decode(payload: Payload, maxDepth: number): unknown[]
}
