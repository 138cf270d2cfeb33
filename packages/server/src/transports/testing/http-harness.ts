import { createServer, Agent as HttpAgent, type OutgoingHttpHeaders, request } from 'node:http'
import { type ClientHttp2Session, connect, constants, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Duplex, Readable, Writable } from 'node:stream'
import type { HttpTransportOptions } from '../http/http-transport-options.ts'
import { createHttpTransports, type HttpTransports } from '../http/http-transports.ts'
import type { TransportContext } from '../transport-context.ts'

export type HttpVersion = 'HTTP/1.1' | 'HTTP/2'
export const HTTP_VERSIONS: readonly HttpVersion[] = ['HTTP/1.1', 'HTTP/2']

/** A request under way, and what has come of its response. */
export class TestExchange {
  readonly body: Writable
  status = 0
  headers: Record<string, unknown> = {}
  text = ''
  /** The response has come to its proper end. */
  complete = false
  /** Nothing more will come, for whatever reason. */
  closed = false
  readonly #abort: () => void
  #isPaused = false
  #response: Readable | undefined

  constructor(body: Writable, abort: () => void) {
    this.body = body
    this.#abort = abort
    body.on('error', () => undefined)
  }

  /** The whole lines so far, blank ones left out, as JSON. */
  get messages(): Record<string, unknown>[] {
    const lines = this.text.split('\n').slice(0, -1)
    return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line))
  }

  get json(): unknown {
    return JSON.parse(this.text)
  }

  abort(): void {
    this.#abort()
  }

  /** Stops reading, now or as soon as there is something to read, so that the server's writes pile up. */
  pause(): void {
    this.#isPaused = true
    this.#response?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#response?.resume()
  }

  answered(status: number, headers: object, response: Readable): void {
    this.status = status
    this.headers = { ...headers }
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      this.text += text
    })
    response.on('error', () => undefined)
    response.on('end', () => {
      this.complete = true
    })
    response.on('close', () => {
      this.closed = true
    })
    if (this.#isPaused) response.pause()
  }
}

export interface RequestInit {
  readonly headers?: OutgoingHttpHeaders
  /** Absent: the request has no body. `open`: its body is written, and ended, by the test. */
  readonly body?: string | Uint8Array | 'open'
  /** On a connection of its own, which `abort` cuts: Node's HTTP/2 client ends the body properly before it resets a stream. */
  readonly alone?: true
}

/** The transports behind a real server, on a port of its own. */
export class HttpHarness {
  readonly version: HttpVersion
  readonly transports: HttpTransports
  readonly port: number
  /** Sockets that clients have opened. */
  readonly sockets: Set<Socket>
  readonly #server: Server
  readonly #agent = new HttpAgent({ keepAlive: true })
  #session: ClientHttp2Session | undefined

  private constructor(version: HttpVersion, transports: HttpTransports, server: Server, sockets: Set<Socket>) {
    this.version = version
    this.transports = transports
    this.sockets = sockets
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  static async start(
    version: HttpVersion,
    context: TransportContext,
    options: Partial<HttpTransportOptions> = {},
  ): Promise<HttpHarness> {
    const transports = createHttpTransports(context, { node: 'node-1', transports: ['sse', 'stream', 'poll'], ...options })
    const notFound = (response: { writeHead(status: number): unknown; end(): unknown }): void => {
      response.writeHead(404)
      response.end()
    }
    const server: Server =
      version === 'HTTP/2'
        ? createHttp2Server({ maxSessionMemory: 1_000 }, (req, res) => {
            if (!transports.handle(req, res)) notFound(res)
          })
        : createServer((req, res) => {
            if (!transports.handle(req, res)) notFound(res)
          })
    const sockets = new Set<Socket>()
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new HttpHarness(version, transports, server, sockets)
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** The HTTP/2 session that requests go through; another one when the server has said that it takes no more. */
  get session(): ClientHttp2Session {
    if (!this.#session || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(this.origin)
      this.#session.on('error', () => undefined)
    }
    return this.#session
  }

  request(method: string, path: string, init: RequestInit = {}): TestExchange {
    const exchange = this.version === 'HTTP/2' ? this.#request2(method, path, init) : this.#request1(method, path, init)
    if (init.body === undefined) exchange.body.end()
    else if (init.body !== 'open') exchange.body.end(init.body)
    return exchange
  }

  async close(): Promise<void> {
    this.transports.close()
    this.#session?.destroy()
    this.#agent.destroy()
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #request1(method: string, path: string, { headers = {}, body }: RequestInit): TestExchange {
    const length = body !== undefined && body !== 'open' ? { 'content-length': Buffer.byteLength(body) } : {}
    const outgoing = request(this.origin + path, { method, headers: { ...length, ...headers }, agent: this.#agent })
    const exchange = new TestExchange(outgoing, () => outgoing.destroy())
    outgoing.on('response', (response) => exchange.answered(response.statusCode ?? 0, response.headers, response))
    outgoing.on('close', () => {
      exchange.closed = true
    })
    if (body === 'open') outgoing.flushHeaders()
    return exchange
  }

  #request2(method: string, path: string, { headers = {}, body, alone }: RequestInit): TestExchange {
    const session = alone ? connect(this.origin).on('error', () => undefined) : this.session
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined })
    const exchange = new TestExchange(stream as Duplex, () =>
      alone ? session.destroy() : stream.close(constants.NGHTTP2_CANCEL),
    )
    stream.on('response', (head) => exchange.answered(Number(head[':status']), head, stream))
    stream.on('close', () => {
      exchange.closed = true
    })
    return exchange
  }
}
