import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttp1, type Server } from 'node:http'
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { Agent } from 'undici'
import { TestAuthority } from '../../tls/testing/certificate-authority.ts'

export const HOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** One request that the backend got. */
export interface BackendCall {
  readonly httpVersion: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The body, when its signature was right. */
  readonly verified: unknown
}

/** What it does about it. `hang`: nothing. `reset`: breaks the connection. */
export type BackendReply =
  | 'hang'
  | 'reset'
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string | Buffer }

/** Which protocols it speaks; over TLS but for `cleartext`. */
export type BackendProtocol = 'HTTP/2' | 'HTTP/1.1' | 'cleartext'

type AnyRequest = IncomingMessage | Http2ServerRequest
type AnyResponse = ServerResponse | Http2ServerResponse

/** The application's own server, on a port that it keeps when it goes and comes back. */
export class TestBackend implements AsyncDisposable {
  readonly calls: BackendCall[] = []
  /** Secret that signatures are checked with. */
  secret = HOOK_SECRET
  respond: (call: BackendCall) => BackendReply | Promise<BackendReply> = () => ({ body: '{"decision":"allow"}' })
  /** Trusts it, and speaks what it speaks. */
  readonly agent: Agent
  readonly #protocol: BackendProtocol
  readonly #files: { readonly cert: string; readonly key: string }
  readonly #sockets = new Set<Socket>()
  #server: Http2SecureServer | Server | undefined
  #port = 0

  private constructor(protocol: BackendProtocol, ca: string, files: { cert: string; key: string }) {
    this.#protocol = protocol
    this.#files = files
    this.agent = new Agent({ allowH2: true, connect: { ca } })
  }

  static async start(protocol: BackendProtocol = 'HTTP/2'): Promise<TestBackend> {
    const authority = await TestAuthority.create()
    const backend = new TestBackend(protocol, authority.cert, await authority.issue())
    await backend.listen()
    return backend
  }

  get url(): string {
    return `${this.#protocol === 'cleartext' ? 'http' : 'https'}://localhost:${this.#port}/hooks`
  }

  async listen(): Promise<void> {
    const server = this.#createServer()
    server.on(this.#protocol === 'cleartext' ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket))
    })
    server.on('sessionError', () => {})
    server.listen(this.#port, 'localhost')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Breaks every connection and listens no more. */
  async vanish(): Promise<void> {
    const server = this.#server
    if (!server) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.destroy()
    await this.vanish()
  }

  #createServer(): Http2SecureServer | Server {
    const handle = (request: AnyRequest, response: AnyResponse): void => void this.#handle(request, response)
    if (this.#protocol === 'HTTP/2') return createSecureServer(this.#files, handle)
    return this.#protocol === 'HTTP/1.1' ? createHttps(this.#files, handle) : createHttp1(handle)
  }

  async #handle(request: AnyRequest, response: AnyResponse): Promise<void> {
    request.on('error', () => {})
    response.on('error', () => {})
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const headers = request.headers as Record<string, string>
    const call = { httpVersion: request.httpVersion, headers, body, verified: this.#verify(body, headers) }
    this.calls.push(call)
    const reply = await this.respond(call)
    if (reply === 'hang') return
    if (reply === 'reset') {
      request.socket.destroy()
      return
    }
    response.statusCode = reply.status ?? 200
    for (const [name, value] of Object.entries({ 'content-type': 'application/json', ...reply.headers }))
      response.setHeader(name, value)
    response.end(reply.body ?? '')
  }

  #verify(body: string, headers: Record<string, string>): unknown {
    try {
      return new Webhook(this.secret).verify(body, headers)
    } catch {
      return undefined
    }
  }
}
