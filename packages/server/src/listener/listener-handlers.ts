import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'

/** The headers that count for a WebSocket: a handshake that is read without Node's HTTP server has no others. */
export interface UpgradeHeaders {
  readonly host?: string | undefined
  readonly origin?: string | undefined
  readonly 'x-forwarded-for'?: string | string[] | undefined
  readonly 'sec-websocket-key'?: string | undefined
  readonly 'sec-websocket-version'?: string | undefined
  readonly 'sec-websocket-protocol'?: string | undefined
  readonly 'sec-websocket-extensions'?: string | undefined
}

/** The head of a request for a WebSocket. */
export interface UpgradeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: UpgradeHeaders
}

/** Where the connections of a listener go. A way in without a handler is not offered. None of the handlers may throw. */
export interface ListenerHandlers {
  /** Any other HTTP request, of either version. */
  request(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void
  /**
   * A WebSocket handshake over HTTP/1.1 (RFC 6455). The socket is the handler's from here on. In the clear it flows already, to a reader
   * that does nothing more: the handler MUST call `readBy` or `readByNobody` before it returns, or what comes next is lost.
   */
  upgrade?(request: UpgradeRequest, socket: Socket, head: Buffer): void
  /** A WebSocket handshake over HTTP/2 (RFC 8441). The stream is the handler's from here on. */
  connectStream?(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void
  /** A connection that speaks newline-delimited JSON. */
  rawTcp?(socket: Socket): void
}
