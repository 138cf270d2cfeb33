import { once } from 'node:events'
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net'
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
  /** Takes what is read, in place of `data`. It is the caller's only until this returns: what comes next is read into the same buffer. */
  readonly onBytes?: OnBytes
}

type OnBytes = (bytes: Buffer) => void

/** As much as Node reads at a time. */
const READ_BYTES = 65_536

/** Whatever plain sockets read: a buffer for each read is what a load would stop most often for, to collect it. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES)

/** The beginning of {@link shared} that was read last; the next is mostly as long. */
let lastRead = shared

const readInto = (onBytes: OnBytes): OnReadOpts => ({
  buffer: shared,
  callback: (length) => {
    if (length !== lastRead.length) lastRead = shared.subarray(0, length)
    onBytes(lastRead)
    return true
  },
})

/** Opens a TCP connection, over TLS where the address says so; whose certificate it is does not matter. */
export const openSocket = async ({ host, port, isTls }: Address, options: SocketOptions = {}): Promise<Socket> => {
  const { alpn = 'http/1.1', localAddress, session, onBytes } = options
  const at = { host, port, noDelay: true, ...(localAddress !== undefined && { localAddress }) }
  const tls = {
    ALPNProtocols: [alpn],
    servername: isIP(host) === 0 ? host : 'localhost',
    rejectUnauthorized: false,
    ...(session && { session }),
  }
  const socket: Socket | TLSSocket = isTls
    ? connectTls({ ...at, ...tls })
    : connect({ ...at, ...(onBytes && { onread: readInto(onBytes) }) })
  if (isTls && onBytes) socket.on('data', onBytes)
  await once(socket, isTls ? 'secureConnect' : 'connect')
  return socket
}

/** Addresses of the loopback range, so that so many connections a piece find a port. Undefined where the system has only one. */
export const loopbackAddress = (connection: number, connectionsEach = 5000): string | undefined =>
  process.platform === 'linux'
    ? `127.0.${1 + Math.floor(connection / connectionsEach / 250)}.${1 + (Math.floor(connection / connectionsEach) % 250)}`
    : undefined

/** A client closes first, and its port rests for a minute: addresses are changed before they have no port left. */
const CONNECTIONS_PER_ADDRESS = 2000

/** Not those that a run before this one has used a moment ago. */
let connections = Math.floor(Math.random() * 30_000) * CONNECTIONS_PER_ADDRESS

/** An address with free ports, for clients that come and go by the thousand: looking for one takes long where few are left. */
export const freshAddress = (): string | undefined => loopbackAddress(connections++, CONNECTIONS_PER_ADDRESS)

/** A ticket to resume a TLS session with (RFC 8446 section 4.6.1), which comes behind the handshake. */
export const ticketOf = async (address: Address): Promise<Buffer> => {
  const socket = await openSocket(address)
  socket.resume()
  const [session] = (await once(socket, 'session', { signal: AbortSignal.timeout(5000) })) as [Buffer]
  socket.destroy()
  return session
}
