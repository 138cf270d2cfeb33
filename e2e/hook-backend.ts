import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttp1, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFusewire } from '@fusewire/server'
import { Webhook } from 'standardwebhooks'

export const HOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** A question or a notice, as the backend reads it. */
export interface HookMessage {
  readonly event: string
  readonly id: string
  readonly channel?: string
  readonly user?: string
  readonly token?: string
  readonly data?: unknown
  readonly method?: string
  readonly reason?: string
  readonly session?: string
  readonly name?: string
}

type Decide = (question: HookMessage) => object | Promise<object>
type Handler = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => void

/** A certificate for localhost: the one that a server in development makes for itself. */
const developmentPair = async (): Promise<{ folder: string; pem: string; certificateFile: string }> => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-backend-'))
  const maker = createFusewire({ development: true, host: '127.0.0.1', port: 0, certificateDir: folder, logLevel: 'silent' })
  await maker.listen()
  await maker.close()
  const pem = readFileSync(join(folder, 'development.pem'), 'utf8')
  return { folder, pem, certificateFile: join(folder, 'development-certificate.pem') }
}

/** The application's backend: decides what a test says, and checks every signature. */
export class HookServer implements AsyncDisposable {
  readonly questions: HookMessage[] = []
  readonly notices: HookMessage[] = []
  /** Of every call, in order. */
  readonly versions = new Set<string>()
  /** Calls whose signature was wrong. */
  forged = 0
  decide: Decide = () => ({ decision: 'allow' })
  readonly url: string
  /** What a server has to have in its environment to trust it. */
  readonly environment: Readonly<Record<string, string>>
  readonly #server: Server | Http2SecureServer
  readonly #sockets = new Set<Socket>()
  readonly #folder: string | undefined

  private constructor(server: Server | Http2SecureServer, scheme: string, pair?: { folder: string; certificateFile: string }) {
    this.#server = server
    this.url = `${scheme}://localhost:${(server.address() as AddressInfo).port}/hooks`
    this.environment = pair ? { NODE_EXTRA_CA_CERTS: pair.certificateFile } : {}
    this.#folder = pair?.folder
  }

  /** On a port that the system chooses, or on this one. */
  static async start(version: 'HTTP/2' | 'HTTP/1.1', port = 0): Promise<HookServer> {
    const pair = version === 'HTTP/2' ? await developmentPair() : undefined
    let backend: HookServer | undefined
    const handler: Handler = (request, response) => void backend?.handle(request, response)
    const server = pair ? createSecureServer({ cert: pair.pem, key: pair.pem }, handler) : createHttp1(handler)
    server.listen(port, 'localhost')
    await once(server, 'listening')
    const started = new HookServer(server, pair ? 'https' : 'http', pair)
    backend = started
    server.on(pair ? 'secureConnection' : 'connection', (socket: Socket) => {
      started.#sockets.add(socket)
      socket.on('error', () => {}).once('close', () => started.#sockets.delete(socket))
    })
    return started
  }

  /** What it was told of one event. */
  told(event: string): HookMessage[] {
    return this.notices.filter((notice) => notice.event === event)
  }

  async handle(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    this.versions.add(request.httpVersion)
    const message = this.#verify(Buffer.concat(chunks).toString(), request.headers as Record<string, string>)
    if (!message) {
      this.forged++
      response.statusCode = 401
      response.end()
    } else if ('events' in message) {
      this.notices.push(...message.events)
      response.end()
    } else {
      this.questions.push(message)
      response.end(JSON.stringify(await this.decide(message)))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true })
  }

  #verify(body: string, headers: Record<string, string>): HookMessage | { events: HookMessage[] } | undefined {
    try {
      return new Webhook(HOOK_SECRET).verify(body, headers) as HookMessage | { events: HookMessage[] }
    } catch {
      return undefined
    }
  }
}
