import { WebSocket } from 'ws'

/** What a {@link OwnedWebSocket} tells its owner. */
export interface SocketOwner {
  message(data: Buffer, isBinary: boolean): void
  /** A ping or pong frame; `ws` answers the ping, and ends a client that reads none of the answers. */
  sign(): void
  /** The client has broken the protocol; the closing is under way. */
  failed(error: Error): void
  /** A close frame is about to be sent, ours or the answer to the client's: no data may follow it (RFC 6455 section 5.5.1). */
  closing(): void
  /** Called once, after everything else. */
  ended(): void
}

/** A WebSocket that knows whose it is, so that its listeners are the same functions for all connections and not closures of each. */
export class OwnedWebSocket extends WebSocket {
  owner: SocketOwner | undefined

  override close(code?: number, reason?: string | Buffer): void {
    this.owner?.closing()
    super.close(code, reason)
  }
}

/** From now on the owner hears of the socket. */
export const own = (socket: OwnedWebSocket, owner: SocketOwner): void => {
  socket.owner = owner
  socket.on('message', onMessage)
  socket.on('ping', onSign)
  socket.on('pong', onSign)
  socket.on('error', onError)
  socket.on('close', onClose)
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  // One Buffer, because `binaryType` is left at "nodebuffer".
  ownerOf(this)?.message(data as Buffer, isBinary)
}

function onSign(this: WebSocket): void {
  ownerOf(this)?.sign()
}

function onError(this: WebSocket, error: Error): void {
  ownerOf(this)?.failed(error)
}

function onClose(this: WebSocket): void {
  ownerOf(this)?.ended()
}

const ownerOf = (socket: WebSocket): SocketOwner | undefined => (socket as OwnedWebSocket).owner
