import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from 'node:http2'
import { constants } from 'node:http2'
import type { Readable } from 'node:stream'

/** A request as `node:http` or as `node:http2` in its compatibility form gives it: one port serves both. */
export type HttpRequest = IncomingMessage | Http2ServerRequest
export type HttpResponse = ServerResponse | Http2ServerResponse

const ignore = (): void => undefined

/**
 * One request and its response, the same over HTTP/1 and HTTP/2. Over HTTP/2 it speaks to the stream itself: the response object of
 * the compatibility API only adds work to each write.
 */
export class HttpExchange {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly query: URLSearchParams
  /** What every answer carries, set before the first one: the CORS headers. */
  commonHeaders: OutgoingHttpHeaders = {}
  readonly #request: HttpRequest
  readonly #response: ServerResponse | ServerHttp2Stream

  constructor(request: HttpRequest, response: HttpResponse) {
    this.#request = request
    this.#response = 'stream' in response ? response.stream : response
    this.method = request.method ?? ''
    this.headers = request.headers
    const url = request.url ?? ''
    const mark = url.indexOf('?')
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
    // A client that vanishes is reported by `close`; the error that comes before it has nothing to add.
    request.on('error', ignore)
    this.#response.on('error', ignore)
  }

  /** The bytes of the request. Ends early, without a word, when the client vanishes: see {@link HttpExchange.isRequestComplete}. */
  get body(): Readable {
    return 'respond' in this.#response ? this.#response : (this.#request as IncomingMessage)
  }

  /** True when the request has come to its end, as opposed to having been cut. */
  get isRequestComplete(): boolean {
    const response = this.#response
    if (!('respond' in response)) return this.#request.complete
    return (
      !response.aborted && response.rstCode === constants.NGHTTP2_NO_ERROR && (response.endAfterHeaders || response.readableEnded)
    )
  }

  get host(): string | undefined {
    const authority = this.headers[':authority']
    return typeof authority === 'string' ? authority : this.headers.host
  }

  get remoteAddress(): string {
    const response = this.#response
    const socket = 'respond' in response ? response.session?.socket : response.socket
    return socket?.remoteAddress ?? ''
  }

  /** Answers as a whole. Does nothing when the client is gone, and cuts a response that had been begun. */
  answer(status: number, headers: OutgoingHttpHeaders = {}, body?: Uint8Array): void {
    if (this.#response.headersSent) {
      this.destroy()
      return
    }
    // RFC 9110 section 8.6: no content-length with a status that never has content.
    const length = status === 204 ? {} : { 'content-length': body?.byteLength ?? 0 }
    this.#head(status, { 'cache-control': 'no-store', ...headers, ...length })
    this.end(this.method === 'HEAD' ? undefined : body)
  }

  /** Sends the head of a response that goes on, at once: a client waits for it before it counts as connected. */
  begin(headers: OutgoingHttpHeaders): void {
    // no-transform keeps proxies from gathering bytes to compress them; x-accel-buffering is what nginx listens to.
    this.#head(200, { 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no', ...headers })
    if (!('respond' in this.#response)) this.#response.flushHeaders()
  }

  /** Writes to a response that was begun; false when it should wait for `drain`. `taken` is called when the bytes have left. */
  write(bytes: Uint8Array, taken?: (error?: Error | null) => void): boolean {
    return this.#response.write(bytes, taken)
  }

  end(bytes?: Uint8Array): void {
    const response = this.#response
    if (response.destroyed || response.writableEnded) return
    response.end(bytes)
    // RFC 9113 section 8.1: NO_ERROR asks the client to stop sending what nobody will read. Over HTTP/1 Node reads and drops it.
    if ('respond' in response && !response.endAfterHeaders && !response.readableEnded) {
      response.once('finish', () => response.close(constants.NGHTTP2_NO_ERROR))
    }
  }

  /** Ends everything at once, with whatever was not written yet. */
  destroy(): void {
    const response = this.#response
    if ('respond' in response && !response.closed) response.close(constants.NGHTTP2_CANCEL)
    response.destroy()
  }

  onDrain(listener: () => void): void {
    this.#response.on('drain', listener)
  }

  /** Called once when the exchange is over. `complete`: the whole response has left this process. */
  onClose(listener: (complete: boolean) => void): void {
    const response = this.#response
    response.once('close', () => {
      // The HTTP/2 stream of a response that was delivered closes before it counts as finished.
      if ('respond' in response) listener(response.writableEnded && response.rstCode === constants.NGHTTP2_NO_ERROR)
      else listener(response.writableFinished)
    })
  }

  #head(status: number, headers: OutgoingHttpHeaders): void {
    const response = this.#response
    if (response.destroyed || response.headersSent) return
    const all = { ...this.commonHeaders, 'x-content-type-options': 'nosniff', ...headers }
    if (!('respond' in response)) response.writeHead(status, all)
    else if (!response.closed) response.respond({ ':status': status, ...all }, { endStream: false })
  }
}
