import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { ChunkFramer } from './chunk-framer.ts'
import { HttpExchange, type Taken } from './http-exchange.ts'

/**
 * A request over HTTP/1. The chunks of a stream are framed here, once for all responses that are sent the same bytes, and written
 * to the socket itself.
 */
export class Http1Exchange extends HttpExchange {
  readonly session = undefined
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #framer: ChunkFramer

  constructor(request: IncomingMessage, response: ServerResponse, framer: ChunkFramer) {
    super(request.method ?? '', request.headers, request.url ?? '')
    this.#request = request
    this.#response = response
    this.#framer = framer
    // A client that vanishes is reported by `close`; the error that comes before it has nothing to add.
    request.on('error', ignore)
    response.on('error', ignore)
  }

  get host(): string | undefined {
    return this.headers.host
  }

  get socketAddress(): string | undefined {
    return this.#request.socket.remoteAddress
  }

  get body(): Readable {
    return this.#request
  }

  get isRequestComplete(): boolean {
    return this.#request.complete
  }

  protected get isBegun(): boolean {
    return this.#response.headersSent
  }

  write(bytes: Uint8Array, taken?: Taken): boolean {
    const { chunkedEncoding, socket } = this.#response
    // To HTTP/1.0 there are no chunks; and while an earlier request of the socket is being answered, Node keeps this one's bytes.
    return chunkedEncoding && socket ? socket.write(this.#framer.frame(bytes), taken) : this.#response.write(bytes, taken)
  }

  /** What still comes of the request is read and dropped by Node. */
  end(bytes?: Uint8Array): void {
    if (!this.#response.destroyed && !this.#response.writableEnded) this.#response.end(bytes)
  }

  destroy(): void {
    this.#response.destroy()
  }

  leave(): void {
    const { socket } = this.#request
    if (this.isBegun) this.#response.once('finish', () => socket.end())
    else this.#response.setHeader('connection', 'close')
  }

  onDrain(listener: () => void): void {
    const { socket } = this.#request
    this.#response.on('drain', listener)
    socket.on('drain', listener)
    this.#response.once('close', () => socket.off('drain', listener))
  }

  onClose(listener: (complete: boolean) => void): void {
    this.#response.once('close', () => listener(this.#response.writableFinished))
  }

  protected writeHead(status: number, headers: OutgoingHttpHeaders): void {
    if (!this.#response.destroyed) this.#response.writeHead(status, headers)
  }

  protected beginStream(headers: OutgoingHttpHeaders): void {
    this.writeHead(200, headers)
    this.#response.flushHeaders()
  }
}

const ignore = (): void => undefined
