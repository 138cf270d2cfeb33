import type { Socket } from 'node:net'
import { ignoreError } from '../../listener/refuse.ts'
import type { TransportContext } from '../transport-context.ts'
import { TcpConnection } from './tcp-connection.ts'

export interface TcpOptions {
  /** How long a client that has ended its side gets answers. Default 1,000. */
  readonly halfClosedMs?: number
  /** How long a client may take to read the end of its stream. Default 5,000. */
  readonly closeTimeoutMs?: number
}

/** Newline-delimited JSON over a socket, for devices without an HTTP stack. Gives the function that takes such sockets. */
export const createTcpTransport = (
  context: TransportContext,
  { halfClosedMs = 1000, closeTimeoutMs = 5000 }: TcpOptions = {},
): ((socket: Socket) => void) => {
  return (socket) => {
    // An error is followed by 'close', which says all that matters.
    socket.on('error', ignoreError)
    new TcpConnection(socket, context, { halfClosedMs, closeTimeoutMs })
  }
}
