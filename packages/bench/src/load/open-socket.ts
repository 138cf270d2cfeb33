import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

/** Where a server is, and how it is reached. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
}

export interface SocketOptions {
  /** Offered over TLS. Default `http/1.1`. */
  readonly alpn?: string
  /** Which of this machine's addresses to come from: each has 28,000 ports or so. */
  readonly localAddress?: string | undefined
  /** A ticket of an earlier TLS connection, to be resumed. */
  readonly session?: Buffer | undefined
}

/** Opens a TCP connection, over TLS where the address says so; whose certificate it is does not matter. */
export const openSocket = async ({ host, port, isTls }: Address, options: SocketOptions = {}): Promise<Socket> => {
  const { alpn = 'http/1.1', localAddress, session } = options
  const at = { host, port, noDelay: true, ...(localAddress !== undefined && { localAddress }) }
  const tls = {
    ALPNProtocols: [alpn],
    servername: isIP(host) === 0 ? host : 'localhost',
    rejectUnauthorized: false,
    ...(session && { session }),
  }
  const socket: Socket | TLSSocket = isTls ? connectTls({ ...at, ...tls }) : connect(at)
  await once(socket, isTls ? 'secureConnect' : 'connect')
  return socket
}

/** Addresses of the loopback range, so that so many connections a piece find a port. Undefined where the system has only one. */
export const loopbackAddress = (connection: number, connectionsEach = 5000): string | undefined =>
  process.platform === 'linux'
    ? `127.0.${1 + Math.floor(connection / connectionsEach / 250)}.${1 + (Math.floor(connection / connectionsEach) % 250)}`
    : undefined
