import { hash } from 'node:crypto'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { FusewireError } from '@fusewire/protocol'
import { WebSocketServer } from 'ws'
import { goAway } from '../../listener/go-away.ts'
import type { UpgradeRequest } from '../../listener/listener-handlers.ts'
import { ignoreError, refuse, refuseStream } from '../../listener/refuse.ts'
import { reportOrigin } from '../../report-origin.ts'
import type { TransportContext } from '../transport-context.ts'
import { EchoConnection } from './echo-connection.ts'
import { type Agreement, agree, type HandshakeHeaders } from './handshake.ts'
import { LazyWebSocket } from './lazy-websocket.ts'
import { Outlets } from './outlets.ts'
import { OwnedWebSocket } from './owned-websocket.ts'
import { type Carrier, WebSocketConnection } from './websocket-connection.ts'
import { createWebSocketFormats } from './websocket-formats.ts'
import { adopt } from './ws-internals.ts'

export interface WebSocketOptions {
  /** Offer permessage-deflate. Default true. */
  readonly compression?: boolean
  /** Messages below this size are sent as they are. Default 1024. */
  readonly compressionThresholdBytes?: number
  /** How long the other side may take to finish a closing handshake. Default 5,000. */
  readonly closeTimeoutMs?: number
}

/** WebSocket over HTTP/1.1 (RFC 6455) and HTTP/2 (RFC 8441). */
export interface WebSocketTransport {
  /** Takes the socket of an `Upgrade: websocket` request. */
  upgrade(request: UpgradeRequest, socket: Socket, head: Buffer): void
  /** Takes the stream of an extended CONNECT request with `:protocol` websocket. */
  connectStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void
  /** Refuses further handshakes and ends the echoes; the engine ends the connections that are its own. Idempotent. */
  close(): void
}

/** Appended to the client's key (RFC 6455 section 1.3). */
const KEY_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const NO_HEAD = Buffer.alloc(0)

/** So that a client with another version knows which to use (RFC 6455 section 4.4). */
const VERSION = { 'sec-websocket-version': '13' }

export const createWebSocketTransport = (context: TransportContext, options: WebSocketOptions = {}): WebSocketTransport => {
  const { compression = true, compressionThresholdBytes = 1024, closeTimeoutMs = 5000 } = options
  const { traffic, limits } = context
  const outlets = new Outlets(context.scheduler, traffic.websocket)
  const formats = createWebSocketFormats(outlets, compressionThresholdBytes)
  const rules = {
    compression,
    isOriginAllowed: (origin: string | undefined, host: string | undefined) => context.isOriginAllowed(origin, host),
  }
  const echoes = new Set<EchoConnection>()
  let closed = false

  const serverOptions = {
    noServer: true,
    clientTracking: false,
    WebSocket: OwnedWebSocket,
    maxPayload: limits.maxMessageBytes,
    perMessageDeflate: compression,
    closeTimeout: closeTimeoutMs,
  }
  // Is never asked to do anything, but knows the options of its WebSockets.
  const server = new WebSocketServer(serverOptions)

  const decide = (url: string | undefined, headers: HandshakeHeaders): Agreement => {
    const agreement = agree(url ?? '', headers, rules)
    if (closed) throw new FusewireError('server_draining')
    return agreement
  }

  const refused = (
    transport: Carrier['transport'],
    { code }: FusewireError,
    { origin }: Pick<IncomingHttpHeaders, 'origin'>,
    remoteAddress: string | undefined,
  ): void => {
    traffic[transport].refused++
    if (code === 'origin_not_allowed') reportOrigin(context, { origin, transport, remoteAddress })
  }

  /** `head` has come behind the handshake. */
  const start = (carrier: Carrier, agreement: Agreement, head: Buffer): void => {
    const { stream } = carrier
    const { endpoint, subprotocol, extensions } = agreement
    const openFully = (): OwnedWebSocket => adopt(server, { stream, head, subprotocol, extensions })
    if (endpoint === 'echo') {
      echoes.add(new EchoConnection(openFully(), carrier, context, (connection) => echoes.delete(connection)))
      return
    }
    const { codec, plain, deflated } = formats[agreement.codec]
    const services = { context, codec, outlets, closeTimeoutMs }
    if (extensions === undefined)
      new WebSocketConnection(new LazyWebSocket(stream, head, server), carrier, { ...services, format: plain })
    // Clients that may compress do so with nearly everything.
    else new WebSocketConnection(openFully(), carrier, { ...services, format: deflated })
  }

  return {
    upgrade: (request, socket, head) => {
      let agreement: Agreement
      let accept: string
      try {
        agreement = decide(request.url, request.headers)
        accept = acceptOf(keyOf(request))
      } catch (error) {
        refused('websocket', error as FusewireError, request.headers, socket.remoteAddress)
        refuse(socket, error as FusewireError, VERSION)
        return
      }
      // The client has ended its side already.
      if (!socket.readable || !socket.writable) {
        socket.destroy()
        return
      }
      const remoteAddress = context.clientAddress(socket.remoteAddress, request.headers['x-forwarded-for'])
      socket.write(switchingProtocols(accept, agreement), 'latin1')
      start({ transport: 'websocket', stream: socket, remoteAddress }, agreement, head)
    },

    connectStream: (stream, headers) => {
      // Aborted while it waited for its turn.
      if (stream.destroyed || stream.closed) return
      let agreement: Agreement
      try {
        agreement = decide(headers[':path'], headers)
      } catch (error) {
        refused('websocket-h2', error as FusewireError, headers, stream.session?.socket.remoteAddress)
        refuseStream(stream, error as FusewireError, VERSION)
        return
      }
      const { subprotocol, extensions } = agreement
      const key = headers['sec-websocket-key']
      stream.respond({
        ':status': 200,
        ...(subprotocol !== undefined && { 'sec-websocket-protocol': subprotocol }),
        ...(extensions !== undefined && { 'sec-websocket-extensions': extensions }),
        // RFC 8441 does without; undici and Node's own client insist.
        ...(typeof key === 'string' && { 'sec-websocket-accept': acceptOf(key) }),
      })
      // Firefox never ends its half of a closed WebSocket, and would run out of streams.
      stream.once('finish', closeStream)
      const { session } = stream
      const remoteAddress = context.clientAddress(session?.socket.remoteAddress, headers['x-forwarded-for'])
      stream.on('error', ignoreError)
      const queue = context.streams.queueOf(session)
      start({ transport: 'websocket-h2', stream, remoteAddress, queue, leave: leaveSession }, agreement, NO_HEAD)
    },

    close: () => {
      closed = true
      for (const echo of echoes) echo.close('server_draining')
    },
  }
}

const leaveSession = (stream: Duplex): void => goAway((stream as ServerHttp2Stream).session)

function closeStream(this: ServerHttp2Stream): void {
  this.close()
}

const acceptOf = (key: string): string => hash('sha1', key + KEY_GUID, 'base64')

/** 16 bytes (RFC 6455 section 4.2.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/

/** What only a handshake over HTTP/1.1 has to have. */
const keyOf = ({ method, headers }: UpgradeRequest): string => {
  if (method !== 'GET') throw new FusewireError('malformed_request', 'a WebSocket is asked for with GET')
  const key = headers['sec-websocket-key']
  if (typeof key !== 'string' || !KEY.test(key))
    throw new FusewireError('malformed_request', 'Sec-WebSocket-Key must be 16 bytes as base64')
  return key
}

const switchingProtocols = (accept: string, { subprotocol, extensions }: Agreement): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${
    subprotocol === undefined ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`
  }${extensions === undefined ? '' : `Sec-WebSocket-Extensions: ${extensions}\r\n`}\r\n`
