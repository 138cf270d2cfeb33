import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { Http2Session } from 'node:http2'
import type { Readable } from 'node:stream'

/** Called when bytes have left the process, or never will. */
export type Taken = (error?: Error | null) => void

/** One request and its response, the same over HTTP/1 and HTTP/2. */
export abstract class HttpExchange {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly query: URLSearchParams
  /** What every answer carries, set before the first one: the CORS headers. */
  commonHeaders: OutgoingHttpHeaders = {}
  /** Where the request comes from; set before it is served. */
  remoteAddress = ''

  constructor(method: string, headers: IncomingHttpHeaders, url: string) {
    this.method = method
    this.headers = headers
    const mark = url.indexOf('?')
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
  }

  abstract readonly host: string | undefined
  /** Of the other end of the socket. */
  abstract readonly socketAddress: string | undefined
  /** The connection that it is a stream of, over HTTP/2. */
  abstract readonly session: Http2Session | undefined
  /** The bytes of the request. Ends early, without a word, when the client vanishes: see {@link HttpExchange.isRequestComplete}. */
  abstract readonly body: Readable
  /** True when the request has come to its end, as opposed to having been cut. */
  abstract readonly isRequestComplete: boolean
  protected abstract readonly isBegun: boolean

  /** Answers as a whole. Does nothing when the client is gone, and cuts a response that had been begun. */
  answer(status: number, headers: OutgoingHttpHeaders = {}, body?: Uint8Array): void {
    if (this.isBegun) {
      this.destroy()
      return
    }
    // RFC 9110 section 8.6: no content-length with a status that never has content.
    const length = status === 204 ? {} : { 'content-length': body?.byteLength ?? 0 }
    this.writeHead(status, this.#complete({ 'cache-control': 'no-store', ...headers, ...length }))
    this.end(this.method === 'HEAD' ? undefined : body)
  }

  /** Sends the head of a response that goes on, at once: a client waits for it before it counts as connected. */
  begin(headers: OutgoingHttpHeaders): void {
    // no-transform keeps proxies from gathering bytes to compress them; x-accel-buffering is what nginx listens to.
    const streaming = { 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no', ...headers }
    this.beginStream(this.#complete(streaming))
  }

  /** Writes to a response that was begun; false when it should wait for `drain`. */
  abstract write(bytes: Uint8Array, taken?: Taken): boolean

  /** Ends the response; idempotent. */
  abstract end(bytes?: Uint8Array): void

  /** Ends everything at once, with whatever was not written yet. */
  abstract destroy(): void

  /** The client's next request is to come on another connection; to be called before the end of this one. */
  abstract leave(): void

  abstract onDrain(listener: () => void): void

  /** Called once when the exchange is over. `complete`: the whole response has left this process. */
  abstract onClose(listener: (complete: boolean) => void): void

  /** Does nothing when the client is gone. */
  protected abstract writeHead(status: number, headers: OutgoingHttpHeaders): void
  protected abstract beginStream(headers: OutgoingHttpHeaders): void

  #complete(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
    return { ...this.commonHeaders, 'x-content-type-options': 'nosniff', ...headers }
  }
}
