import type { ClientMessage } from '@fusewire/protocol'
import type { Failure } from '../failure.ts'
import type { Platform } from '../platform.ts'
import type { WireCodec } from '../wire/json.ts'

/** A connection being made or in use, over one transport. */
export interface Transport {
  /**
   * Sends messages in the order of the calls; after the end it MUST do nothing. MUST throw when the message cannot be encoded, and
   * never else.
   */
  send(message: ClientMessage): void
  /** The server has said `open`: transports whose upstream is separate get the secret that their POSTs carry. */
  opened?(connection: string): void
  /**
   * Ends the connection, with `farewell` as its last message. MUST take all listeners off before it returns: nothing may be heard of
   * this connection any more. MUST be idempotent. Resolves when the farewell has left, or cannot.
   */
  close(farewell?: ClientMessage): Promise<void>
}

/** Who hears of a transport. None of these may be called before the transport has been returned, nor after its `close`. */
export interface TransportListener {
  /** Messages as they came, one or several; what cannot be decoded is left out alone. */
  receive(payload: string | Uint8Array): void
  /** The connection could not be made, or has ended. MUST be called once unless `close` was, and be the last call. */
  closed(failure: Failure): void
}

type CompletePlatform = { readonly [Name in keyof Platform]-?: NonNullable<Platform[Name]> }

export interface TransportRequest {
  /** `https://host`, without a slash at its end. */
  readonly endpoint: string
  /** JSON, except over transports that can carry others. */
  readonly codec: WireCodec
  /** Has what the transport needs. */
  readonly platform: CompletePlatform
  /** Makes the message that MUST be the first; to be called once, as late as can be, because it carries what is subscribed by then. */
  readonly hello: () => ClientMessage
  readonly listener: TransportListener
}

/** Starts a connection. May throw when the platform refuses outright. */
export type OpenTransport = (request: TransportRequest) => Transport
