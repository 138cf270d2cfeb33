import type { DisconnectCode, ServerMessage } from '@fusewire/protocol'

export type TransportName = 'websocket' | 'websocket-h2' | 'sse' | 'stream' | 'poll' | 'tcp'

/** Ready-made bytes of one message, exactly as they go on the wire of every connection with the same {@link FrameFormat}. */
export type Frame = Uint8Array

/** What a frame is the newest of, among all that a connection is sent: compared for equality only. */
export type Slot = string

/**
 * How messages become the bytes of a connection: a codec and a framing. Connections that share the same object share frames, so
 * a transport MUST use one format object for all connections whose bytes are alike, and `encode` MUST NOT depend on the connection.
 * A format may know the last message again by its identity, so a message MUST NOT be changed once it has been encoded.
 */
export interface FrameFormat {
  /** Stable, for metrics and traces: `ws-json`, `sse`, … */
  readonly name: string
  /** Absent where connections are sent to one by one. */
  readonly multicast?: Multicast
  encode(message: ServerMessage): Frame
}

/**
 * An optional ability of a format: sends a frame to many of its connections without going through their objects, which are no longer in
 * the processor's cache when there are a thousand.
 */
export interface Multicast {
  /** MUST be as {@link Connection.send} to each connection with one of these numbers. MUST NOT keep or change them. */
  send(numbers: readonly number[], frame: Frame, slot?: Slot): void
}

/** One transport stream, as the engine sees it. Implemented by transports. */
export interface Connection {
  readonly transport: TransportName
  readonly format: FrameFormat
  /**
   * What the {@link FrameFormat.multicast} of its format knows it by; MUST be there if there is one. Once {@link Peer.closed} has
   * returned another connection may have it, and it MUST NOT be sent to any more.
   */
  readonly number?: number
  /** For limits and logs. */
  readonly remoteAddress: string
  /**
   * Queues a frame. MUST keep the order of calls, MUST NOT throw, and MUST NOT call back into the engine before it returns.
   * Frames of one event-loop turn leave in one write.
   *
   * A frame with a slot MUST take the place of the frame with the same slot that waits behind a full socket, if there is one: that one
   * is dropped and this one comes last, so that what is left keeps the order of calls. A frame without a slot MUST NOT be dropped, and
   * nothing MUST be dropped while the socket takes what it is given. When more than the transport's limit waits even so, it ends the
   * connection with `slow_consumer` and reports {@link Peer.closed}.
   */
  send(frame: Frame, slot?: Slot): void
  /**
   * Ends the stream after what is queued: a `disconnect` message, unless the client itself has asked to leave. MUST be idempotent;
   * MUST lead to {@link Peer.closed}.
   */
  close(code: DisconnectCode, reason: string): void
  /**
   * Asks for a sign of life of a client that sends no heartbeats: MUST lead to {@link Peer.alive} when there is one (a WebSocket
   * pong), or, where none can be had, when the stream has taken the bytes of a keep-alive.
   */
  probe?(): void
}
