import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from 'node:tls'
import { DenseSet, type Log, NO_PLACE, type Placed } from '@fusewire/engine'
import { ALPN } from '@fusewire/protocol'
import { addressGroup } from '../addresses/address-group.ts'
import { Refusals } from '../refusals.ts'
import { ConnectionGate } from './connection-gate.ts'
import type { Dialect } from './first-bytes.ts'
import { Http1Server } from './http1-server.ts'
import { Http2Server } from './http2-server.ts'
import { type ListenAddress, listen } from './listen.ts'
import type { ListenerHandlers } from './listener-handlers.ts'
import { DEFAULT_LISTENER_LIMITS, type ListenerLimits } from './listener-limits.ts'
import { readFirstBytes } from './read-first-bytes.ts'
import { readUpgrade } from './read-upgrade.ts'
import { ignoreError } from './refuse.ts'
import { readByNobody } from './stream-reader.ts'

/** Where the certificates come from. */
export interface ListenerTls {
  /** Options for `tls.createServer`, with these protocols for ALPN. */
  serverOptions(alpnProtocols: readonly string[]): TlsOptions
  /** Is given each TLS server, to replace its certificate later by `setSecureContext`. */
  attach?(server: TlsServer): unknown
}

export interface ListenerOptions {
  readonly handlers: ListenerHandlers
  /** Needed for {@link Listener.listenTls}. */
  readonly tls?: ListenerTls
  readonly limits?: Partial<ListenerLimits>
  /** Default: counts that nobody sees. */
  readonly refusals?: Refusals
  /** What counts as one address; undefined where it is not limited. Default: the address, or its /64. */
  readonly addressGroup?: (address: string) => string | undefined
  readonly log: Log
}

/** How often the gate forgets addresses that have gone. */
const GATE_SWEEP_INTERVAL_MS = 5000

const NO_HEAD = Buffer.alloc(0)

/**
 * TCP keep-alive begins after this silence, and finds a peer that is gone without a word. It takes four calls of the system, which a
 * WebSocket is spared: the engine asks it for signs of life.
 */
const KEEP_ALIVE_DELAY_MS = 30_000

/** Finds what has been admitted with a socket. */
const ADMITTED = Symbol('Admitted')

/** A connection that the gate has let in. */
interface Admitted extends Placed {
  readonly socket: Socket
  /** What counts as the address that it comes from; undefined where it is not limited. */
  readonly group: string | undefined
}

interface AdmittedSocket extends Socket {
  [ADMITTED]?: Admitted
}

const SOCKET_OPTIONS = {
  noDelay: true,
  // HTTP/1.1 answers clients that have ended their side; what else speaks here ends its own.
  allowHalfOpen: true,
} as const

/**
 * One port for every way in: the connection itself says what it is, over TLS by ALPN, in the clear by its first bytes.
 *
 *     TLS        ALPN h2 ─────────────▶ HTTP/2 ───▶ requests, WebSocket streams
 *                ALPN http/1.1, none ─▶ HTTP/1.1 ─▶ requests, WebSocket upgrades
 *                ALPN fusewire/1 ─────▶ newline-delimited JSON
 *     cleartext  PRI * HTTP/2.0 … ────▶ HTTP/2
 *                { ───────────────────▶ newline-delimited JSON
 *                GET … Upgrade: … ────▶ WebSocket, where the head is whole and plain
 *                anything else ───────▶ HTTP/1.1
 */
export class Listener {
  readonly #handlers: ListenerHandlers
  readonly #tls: ListenerTls | undefined
  readonly #limits: ListenerLimits
  readonly #log: Log
  readonly #refusals: Refusals
  readonly #addressGroup: (address: string) => string | undefined
  readonly #gate: ConnectionGate
  readonly #sweepTimer: NodeJS.Timeout
  readonly #h1: Http1Server
  readonly #h2: Http2Server
  readonly #servers = new Set<Server>()
  readonly #admitted = new DenseSet<Admitted>()
  /** One function for all: a closure of each connection would take 300 bytes. */
  readonly #onClose: (this: AdmittedSocket) => void
  #stopped: Promise<unknown> | undefined
  #leaving: Promise<void> | undefined

  constructor({
    handlers,
    tls,
    limits,
    log,
    refusals = new Refusals(log),
    addressGroup: groupOf = addressGroup,
  }: ListenerOptions) {
    this.#handlers = handlers
    this.#tls = tls
    this.#limits = { ...DEFAULT_LISTENER_LIMITS, ...limits }
    this.#log = log
    this.#refusals = refusals
    this.#addressGroup = groupOf
    this.#gate = new ConnectionGate(this.#limits, Date.now())
    const [gate, all] = [this.#gate, this.#admitted]
    this.#onClose = function () {
      const admitted = this[ADMITTED]
      if (!admitted) return
      gate.leave(admitted.group)
      all.delete(admitted)
    }
    this.#sweepTimer = setInterval(() => this.#gate.sweep(Date.now()), GATE_SWEEP_INTERVAL_MS)
    this.#sweepTimer.unref()
    this.#h1 = new Http1Server(handlers, this.#limits, refusals)
    this.#h2 = new Http2Server(handlers, this.#limits, refusals, log)
  }

  /** @throws ConfigurationError when the address cannot be had. */
  listenTls(address: ListenAddress): Promise<AddressInfo> {
    if (!this.#tls) throw new Error('listenTls needs the option tls')
    // Never listens itself, so that the gate comes before the first byte of a handshake.
    const tls = createTlsServer({
      ...this.#tls.serverOptions(['h2', 'http/1.1', ...(this.#handlers.rawTcp ? [ALPN] : [])]),
      handshakeTimeout: this.#limits.handshakeTimeoutMs,
    })
    this.#tls.attach?.(tls)
    tls.on('secureConnection', (socket) => {
      socket.allowHalfOpen = true
      socket.on('error', ignoreError)
      this.#handOver(socket, dialectOf(socket))
    })
    // An unknown ALPN protocol ends here too: OpenSSL has sent the alert no_application_protocol (RFC 7301 section 3.2).
    tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      this.#log('tls_handshake_failed', { code: error.code, remoteAddress: socket.remoteAddress })
      if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') this.#refusals.count('handshakeTimeoutMs')
      // Node reports a handshake that is out of time, and leaves the rest to us.
      socket.destroy()
    })
    return this.#listen(address, (socket) => {
      // Inherited by the TLS socket, until it is secure: who ends its side within the handshake has gone, as one that distrusts the certificate.
      socket.allowHalfOpen = false
      tls.emit('connection', socket)
    })
  }

  /** @throws ConfigurationError when the address cannot be had. */
  listenCleartext(address: ListenAddress): Promise<AddressInfo> {
    return this.#listen(address, (socket) => readFirstBytes(socket, this.#limits.handshakeTimeoutMs, this.#handOverRead))
  }

  /** Takes no more connections; those that are in use go on. Idempotent. */
  stop(): void {
    this.#stopped ??= Promise.all([...this.#servers].map((server) => new Promise((resolve) => server.close(resolve))))
    this.#h1.dropSpares()
  }

  /**
   * Takes no more connections, asks HTTP/2 clients to leave, and closes HTTP/1.1 connections as they become idle. Resolves when all
   * have gone. Idempotent.
   */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  /** Ends every connection at once. */
  cut(): void {
    for (const { socket } of [...this.#admitted.members]) socket.destroy()
  }

  /** {@link Listener.leave}, and {@link Listener.cut} after `graceMs`. */
  async close(graceMs = 0): Promise<void> {
    const deadline = setTimeout(() => this.cut(), graceMs)
    await this.leave()
    clearTimeout(deadline)
  }

  #listen(address: ListenAddress, begin: (socket: Socket) => void): Promise<AddressInfo> {
    const server = createServer(SOCKET_OPTIONS, (socket) => {
      if (this.#admit(socket)) begin(socket)
    })
    this.#servers.add(server)
    return listen(server, address)
  }

  #admit(socket: AdmittedSocket): boolean {
    const group = this.#addressGroup(socket.remoteAddress ?? '')
    const limit = this.#gate.enter(group, Date.now())
    if (limit) {
      this.#refusals.report(limit, socket.remoteAddress, Date.now())
      // A reset leaves nothing behind, not even a port in TIME_WAIT.
      socket.resetAndDestroy()
      return false
    }
    const admitted: Admitted = { socket, group, place: NO_PLACE }
    socket[ADMITTED] = admitted
    this.#admitted.add(admitted)
    // Every dialect listens for errors of its own; between them, none may be without a listener.
    socket.on('error', ignoreError)
    socket.on('close', this.#onClose)
    return true
  }

  /** Hands over a socket of which these bytes have been read already. */
  readonly #handOverRead = (socket: Socket, dialect: Dialect, bytes: Buffer): void => {
    if (dialect === 'h1' && this.#upgrades(socket, bytes)) return
    readByNobody(socket)
    // HTTP/2 takes what waits in a socket when it is given it; the others listen for what comes.
    if (dialect === 'h2') socket.pause().unshift(bytes)
    this.#handOver(socket, dialect)
    if (dialect !== 'h2') socket.unshift(bytes)
  }

  /** Whether it is a plain WebSocket handshake; then it is done. */
  #upgrades(socket: Socket, bytes: Buffer): boolean {
    const { upgrade } = this.#handlers
    const request = upgrade && !this.#leaving ? readUpgrade(bytes, this.#limits.maxHeaderBytes) : undefined
    if (request) upgrade?.(request, socket, NO_HEAD)
    return request !== undefined
  }

  #handOver(socket: Socket, dialect: Dialect): void {
    if (this.#leaving) {
      socket.destroy()
      return
    }
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
    if (dialect === 'h2') this.#h2.accept(socket)
    else if (dialect === 'tcp' && this.#handlers.rawTcp) this.#handlers.rawTcp(socket)
    else this.#h1.accept(socket)
  }

  async #leave(): Promise<void> {
    this.stop()
    this.#h1.drain()
    this.#h2.drain()
    // Connections that have not said anything yet.
    for (const { socket } of [...this.#admitted.members]) if (socket.bytesRead === 0) socket.destroy()
    await this.#stopped
    clearInterval(this.#sweepTimer)
    this.#h1.close()
    this.#h2.close()
  }
}

const dialectOf = (socket: TLSSocket): Dialect => {
  if (socket.alpnProtocol === 'h2') return 'h2'
  return socket.alpnProtocol === ALPN ? 'tcp' : 'h1'
}
