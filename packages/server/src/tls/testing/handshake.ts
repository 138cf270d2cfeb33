import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket } from 'node:tls'
import type { TlsCertificates } from '../tls-certificates.ts'

/** A TLS server on loopback that echoes, with the certificates under test. */
export class HandshakeServer {
  readonly server: Server
  readonly #sockets = new Set<TLSSocket>()

  private constructor(server: Server) {
    this.server = server
    server.on('secureConnection', (socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', (chunk) => socket.write(chunk))
    })
  }

  static async start(
    certificates: TlsCertificates,
    alpnProtocols: readonly string[] = ['h2', 'http/1.1'],
  ): Promise<HandshakeServer> {
    const server = createServer(certificates.serverOptions(alpnProtocols))
    certificates.attach(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new HandshakeServer(server)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** Resolves when a first byte has come back, so that in TLS 1.3 the client's certificate has been judged too. */
  async connect(options: ConnectionOptions = {}, onTicket: (session: Buffer) => void = () => {}): Promise<TLSSocket> {
    const socket = connect({ port: this.port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false, ...options })
    socket.on('session', onTicket)
    await once(socket, 'secureConnect')
    await echo(socket)
    return socket
  }

  /** A session ticket, for a later connection to resume with. */
  async ticket(options: ConnectionOptions): Promise<Buffer> {
    let ticket: Buffer | undefined
    await this.connect(options, (session) => {
      ticket = session
    })
    if (ticket === undefined) throw new Error('no session ticket came')
    return ticket
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.server.close()
    await once(this.server, 'close')
  }
}

/** Sends a byte and waits for it to come back: the connection is alive both ways. */
export const echo = (socket: TLSSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('data', () => resolve())
    socket.once('error', reject)
    // A server that does not like a client's certificate says nothing in TLS 1.3, and ends the connection.
    socket.once('close', () => reject(new Error('closed by the server')))
    socket.write('?')
  })
