import type { Connection, Peer } from '@fusewire/engine'
import type { ClientMessage, FusewireError, ServerMessage } from '@fusewire/protocol'

/** Keeps what a transport hands to the engine; answers `echo` and `ping` as the engine does. */
export class RecordingPeer implements Peer {
  readonly connection: Connection
  readonly received: ClientMessage[] = []
  readonly rejected: FusewireError[] = []
  /** How often a sign of life was reported. */
  signs = 0
  /** How often the end was reported: MUST be at most once. */
  ends = 0

  constructor(connection: Connection) {
    this.connection = connection
  }

  receive(message: ClientMessage): void {
    this.received.push(message)
    if (message.type === 'echo') this.send(message)
    if (message.type === 'ping') this.send({ type: 'pong' })
  }

  reject(error: FusewireError): void {
    this.rejected.push(error)
    this.send({ type: 'error', code: error.code, message: error.message, retryable: error.retryable })
  }

  alive(): void {
    this.signs++
  }

  closed(): void {
    this.ends++
  }

  send(message: ServerMessage): void {
    this.connection.send(this.connection.format.encode(message))
  }
}

/** An engine of which only the side towards the transports exists. */
export class RecordingEngine {
  readonly peers: RecordingPeer[] = []

  readonly open = (connection: Connection): RecordingPeer => {
    const peer = new RecordingPeer(connection)
    this.peers.push(peer)
    return peer
  }

  /** Sends to everyone who is there, encoding once for each format. */
  broadcast(message: ServerMessage): void {
    const frames = new Map<unknown, Uint8Array>()
    for (const { connection, ends } of this.peers) {
      if (ends > 0) continue
      let frame = frames.get(connection.format)
      if (!frame) {
        frame = connection.format.encode(message)
        frames.set(connection.format, frame)
      }
      connection.send(frame)
    }
  }
}
