import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { type ErrorCode, FusewireError } from '@fusewire/protocol'
import { errorAnswer } from '../error-answer.ts'
import type { Refusals, ServerLimitName } from '../refusals.ts'
import { Http1Connections } from './http1-connections.ts'
import { settleTarget } from './http1-target.ts'
import type { ListenerHandlers } from './listener-handlers.ts'
import type { ListenerLimits } from './listener-limits.ts'
import { ignoreError, refuse } from './refuse.ts'
import { replayRequest } from './replay-request.ts'

/** Longer than the idle time of usual load balancers (60 s), so that it is never us who closes under a request of theirs. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000
const REQUEST_TIMEOUT_MS = 300_000
const MAX_CHECK_INTERVAL_MS = 5000

/** HTTP/1.0 has no upgrades (RFC 9110 section 7.8). */
const isWebSocketUpgrade = ({ httpVersion, headers }: IncomingMessage): boolean =>
  httpVersion === '1.1' && headers.upgrade?.toLowerCase() === 'websocket'

const answerWith = (response: ServerResponse, error: FusewireError): void => {
  const { status, body } = errorAnswer(error)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' }
  response.writeHead(status, headers).end(body)
}

/** What keeps a request with an upgrade from being a WebSocket handshake. */
const faultOf = (request: IncomingMessage): FusewireError | undefined => {
  const { headers } = request
  // Node hands it over before its body has come, and goes on to read the socket.
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0)
    return new FusewireError('malformed_request', 'a WebSocket handshake has no body')
  return settleTarget(request)
}

/** What Node's parser says, in our words. */
const errorOf = (code: string | undefined): FusewireError => {
  if (code === 'HPE_HEADER_OVERFLOW') return new FusewireError('header_too_large')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new FusewireError('request_timeout')
  return new FusewireError('malformed_request')
}

/** Limits that Node's parser keeps. */
const LIMIT_OF: Partial<Record<ErrorCode, ServerLimitName>> = {
  header_too_large: 'maxHeaderBytes',
  request_timeout: 'handshakeTimeoutMs',
}

/** The HTTP/1.1 side of a listener: serves sockets that it is given, and never listens itself. */
export class Http1Server {
  readonly #server: Server
  readonly #connections = new Http1Connections()

  constructor(handlers: ListenerHandlers, limits: ListenerLimits, refusals: Refusals) {
    const { handshakeTimeoutMs, maxHeaderBytes } = limits
    this.#server = createServer({
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: handshakeTimeoutMs,
      requestTimeout: Math.max(REQUEST_TIMEOUT_MS, handshakeTimeoutMs),
      connectionsCheckingInterval: Math.min(handshakeTimeoutMs, MAX_CHECK_INTERVAL_MS),
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      // Unknown to Node 22.12, which upgrades everything.
      shouldUpgradeCallback: isWebSocketUpgrade,
      // Node's own answer has no error in it.
      requireHostHeader: false,
    })
    this.#server.on('request', (request, response) => {
      this.#connections.answer(request.socket, response)
      const fault = settleTarget(request)
      if (fault) answerWith(response, fault)
      else handlers.request(request, response)
    })
    this.#server.on('upgrade', (request, stream, head) => this.#upgrade(handlers, request, stream, head))
    this.#server.on('connect', (request, socket) => {
      this.#connections.remove(request.socket)
      refuse(socket, new FusewireError('method_not_allowed'))
    })
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const limit = LIMIT_OF[errorOf(error.code).code]
      if (limit) refusals.count(limit)
      onClientError(error, socket)
    })
    // Starts the check of the header timeouts, which is otherwise only done by a server that listens.
    this.#server.emit('listening')
  }

  accept(socket: Socket): void {
    this.#connections.add(socket)
    this.#server.emit('connection', socket)
    if (socket instanceof TLSSocket) readByData(socket)
  }

  #upgrade({ upgrade }: ListenerHandlers, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { socket } = request
    // While a body is still to come, it is a stream around the socket, and throws the errors that the socket has.
    if (stream !== socket) stream.on('error', ignoreError)
    const isAnswering = this.#connections.isAnswering(socket)
    this.#connections.remove(socket)
    // `curl --http2` offers h2c with every request; it is content with HTTP/1.1.
    if (!isWebSocketUpgrade(request)) {
      this.accept(replayRequest(request, socket, head))
      return
    }
    // Whatever is said now would come before the answer to an earlier request.
    if (isAnswering) {
      socket.destroy()
      return
    }
    const fault = faultOf(request)
    if (fault) refuse(socket, fault)
    else if (upgrade) upgrade(request, socket, head)
    else refuse(socket, new FusewireError('unsupported_transport'))
  }

  /** Closes connections that have never been used. */
  dropSpares(): void {
    this.#connections.dropSpares()
  }

  /** Closes connections as they become idle. */
  drain(): void {
    this.#connections.leave()
  }

  close(): void {
    this.#server.close()
  }
}

/**
 * Node's parser reads sockets without going through JavaScript, and pauses while an answer has not left. TLS hands it what was
 * decrypted already all the same, which it then takes for an error (HPE_PAUSED): a large request behind a large answer on one
 * connection is reset. A listener for data, if only for a moment, makes Node read the socket as a stream, which can be paused.
 */
const readByData = (socket: TLSSocket): void => {
  socket.on('data', ignore).off('data', ignore)
}

const ignore = (): void => undefined

const onClientError = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  // Already answered: what still comes in is not read any more.
  if (socket.writableEnded) return
  // An answer in the middle of another one would be read as a part of it.
  const { _httpMessage: current } = socket as { _httpMessage?: { readonly headersSent: boolean } }
  if (error.code === 'ECONNRESET' || !socket.writable || current?.headersSent) socket.destroy()
  else refuse(socket, errorOf(error.code))
}
