import type { OutgoingHttpHeaders } from 'node:http'
import { constants, type Http2ServerRequest, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import { goAway } from '../../listener/go-away.ts'
import { HttpExchange, type Taken } from './http-exchange.ts'

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants

/** A request over HTTP/2. Speaks to the stream itself: the objects of the compatibility API only add work to each write. */
export class Http2Exchange extends HttpExchange {
  readonly #stream: ServerHttp2Stream

  constructor({ stream, method, headers, url }: Http2ServerRequest) {
    super(method, headers, url)
    this.#stream = stream
    // A client that vanishes is reported by `close`; the error that comes before it has nothing to add.
    stream.on('error', ignore)
  }

  get host(): string | undefined {
    const authority = this.headers[':authority']
    return typeof authority === 'string' ? authority : this.headers.host
  }

  get socketAddress(): string | undefined {
    return this.#stream.session?.socket.remoteAddress
  }

  get session(): Http2Session | undefined {
    return this.#stream.session
  }

  get body(): Readable {
    return this.#stream
  }

  /** A stream that was reset ends like one that is complete. */
  get isRequestComplete(): boolean {
    const { aborted, rstCode } = this.#stream
    return !aborted && rstCode === NGHTTP2_NO_ERROR && this.#isRemoteEnded
  }

  protected get isBegun(): boolean {
    return this.#stream.headersSent
  }

  write(bytes: Uint8Array, taken?: Taken): boolean {
    return this.#stream.write(bytes, taken)
  }

  end(bytes?: Uint8Array): void {
    const stream = this.#stream
    if (stream.destroyed || stream.writableEnded) return
    stream.end(bytes)
    // RFC 9113 section 8.1: after a whole response, NO_ERROR asks the client to stop sending what nobody will read. Not before it has
    // left: Node waits with the reset until then, and never makes it for a stream that is destroyed meanwhile. nghttp2 then asks for the
    // rest of a stream that Node does not know (Http2Stream::Provider::Stream::OnRead), and sends empty DATA frames until memory is full.
    if (!this.#isRemoteEnded) stream.once('finish', () => stream.close(NGHTTP2_NO_ERROR))
  }

  destroy(): void {
    if (!this.#stream.closed) this.#stream.close(NGHTTP2_CANCEL)
    this.#stream.destroy()
  }

  leave(): void {
    goAway(this.#stream.session)
  }

  onDrain(listener: () => void): void {
    this.#stream.on('drain', listener)
  }

  onClose(listener: (complete: boolean) => void): void {
    const stream = this.#stream
    // The stream of a response that was delivered closes before it counts as finished.
    stream.once('close', () => listener(stream.writableEnded && stream.rstCode === NGHTTP2_NO_ERROR))
  }

  protected writeHead(status: number, headers: OutgoingHttpHeaders): void {
    const stream = this.#stream
    if (!stream.destroyed && !stream.closed) stream.respond({ ':status': status, ...headers })
  }

  protected beginStream(headers: OutgoingHttpHeaders): void {
    this.writeHead(200, headers)
  }

  get #isRemoteEnded(): boolean {
    return this.#stream.endAfterHeaders || this.#stream.readableEnded
  }
}

const ignore = (): void => undefined
