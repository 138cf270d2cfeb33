import { WebSocket } from 'ws'

/** What a WebSocket tells its owner. */
export interface SocketOwner {
  /** Its payload lies in `bytes` from `start` to `end`: a `Buffer` of its own would be a twentieth of the garbage of a question. */
  message(bytes: Buffer, start: number, end: number, isBinary: boolean): void
  /** A ping or pong frame; `ws` answers the ping, and ends a client that reads none of the answers. */
  sign(): void
  /** The client has broken the protocol; the closing is under way. */
  failed(error: Error): void
  /** A close frame is about to be sent, ours or the answer to the client's: no data may follow it (RFC 6455 section 5.5.1). */
  closing(): void
  /** Called once, after everything else. */
  ended(): void
}

/** What an owner does with its WebSocket; data frames it writes to the stream itself. */
export interface ControlledWebSocket {
  owner: SocketOwner | undefined
  /** Neither side has begun to close. */
  readonly isOpen: boolean
  ping(): void
  /** Begins the closing handshake. */
  close(code: number, reason: string | Buffer): void
  /** Ends it at once. */
  terminate(): void
}

/** A WebSocket that tells its owner at once what it has to say, without listeners, which would take 200 bytes of each connection. */
export class OwnedWebSocket extends WebSocket implements ControlledWebSocket {
  owner: SocketOwner | undefined

  get isOpen(): boolean {
    return this.readyState === this.OPEN
  }

  override close(code?: number, reason?: string | Buffer): void {
    this.owner?.closing()
    super.close(code, reason)
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const { owner } = this
    if (!owner) return super.emit(event, ...values)
    switch (event) {
      case 'message': {
        // One Buffer, because `binaryType` is left at "nodebuffer".
        const payload = values[0] as Buffer
        owner.message(payload, 0, payload.length, values[1] as boolean)
        break
      }
      case 'ping':
      case 'pong':
        owner.sign()
        break
      case 'error':
        owner.failed(values[0] as Error)
        break
      case 'close':
        owner.ended()
    }
    return true
  }
}
