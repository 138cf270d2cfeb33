import { createServer, request as h1Request, type IncomingMessage } from 'node:http'
import { type ClientHttp2Session, connect, createServer as createH2Server } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { type Api, type ApiDependencies, createApi } from '../create-api.ts'
import { FakeApplication } from './fake-application.ts'

export const KEY = 'a-key-that-is-long-enough'
export const VERSIONS = ['HTTP/1.1', 'HTTP/2'] as const
export type Version = (typeof VERSIONS)[number]

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is; anything but text and bytes as JSON. */
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: unknown
}

const toAnswer = (status: number, headers: Answer['headers'], chunks: readonly Buffer[]): Answer => {
  const text = Buffer.concat(chunks).toString()
  const isJson = String(headers['content-type']).startsWith('application/json')
  return { status, headers, text, json: isJson && text !== '' ? JSON.parse(text) : undefined }
}

const bodyOf = ({ body }: Sent): string | Uint8Array | undefined =>
  body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)

const headersOf = ({ headers, body }: Sent): Record<string, string> => ({
  authorization: `Bearer ${KEY}`,
  ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  ...headers,
})

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** The API behind real sockets of both versions, with a fake application. */
export class TestApi {
  readonly application = new FakeApplication()
  readonly log: [string, Readonly<Record<string, unknown>>][] = []
  readonly h1 = createServer((request, response) => this.#api?.handler(request, response))
  readonly h2 = createH2Server((request, response) => this.#api?.handler(request, response))
  admitReader: ApiDependencies['admitReader'] = () => undefined
  ports = { h1: 0, h2: 0 }
  #api: Api | undefined
  #session: ClientHttp2Session | undefined

  static async start(overrides: Partial<ApiDependencies> = {}): Promise<TestApi> {
    const test = new TestApi()
    test.#api = await createApi({
      application: test.application,
      drain: (node = 'n1') => ({ node, connections: 4, delayMs: 0, windowMs: 5000, timeoutMs: 10_000 }),
      keys: { none: false, includes: (key) => key === KEY },
      openToLoopback: false,
      clientAddress: ({ socket }) => String(socket.remoteAddress),
      admitReader: (address) => test.admitReader(address),
      isOriginAllowed: (origin) => origin !== 'https://evil.example',
      limits: { maxMessageBytes: 4096, maxDepth: 8 },
      info: () => ({
        node: 'n1',
        version: '1.2.3',
        protocolVersion: 1,
        development: false,
        state: 'serving',
        startedAt: 1_700_000_000_000,
        host: 'host-1',
        connections: 4,
        sessions: 5,
        subscriptions: 6,
        channels: 7,
        nodes: [],
      }),
      readiness: () => [],
      metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', read: async () => 'fusewire_sessions 5\n' },
      log: (event, details) => test.log.push([event, details]),
      ...overrides,
    })
    test.ports = { h1: await listen(test.h1), h2: await listen(test.h2 as unknown as Server) }
    return test
  }

  get api(): Api {
    if (!this.#api) throw new Error('not started')
    return this.#api
  }

  /** One HTTP/2 session for all requests of a test. */
  get session(): ClientHttp2Session {
    this.#session ??= connect(`http://127.0.0.1:${this.ports.h2}`)
    return this.#session
  }

  send(version: Version, method: string, path: string, sent: Sent = {}): Promise<Answer> {
    return version === 'HTTP/2' ? this.#sendH2(method, path, sent) : this.#sendH1(method, path, sent)
  }

  async close(): Promise<void> {
    this.#session?.destroy()
    this.h1.closeAllConnections()
    await Promise.all([this.h1, this.h2].map((server) => new Promise((resolve) => server.close(resolve))))
    await this.#api?.close()
  }

  #sendH1(method: string, path: string, sent: Sent): Promise<Answer> {
    const headers = { host: 'localhost', ...headersOf(sent) }
    return new Promise((resolve, reject) => {
      const request = h1Request(
        { port: this.ports.h1, host: '127.0.0.1', method, path, headers },
        (response: IncomingMessage) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => resolve(toAnswer(response.statusCode ?? 0, response.headers, chunks)))
        },
      )
      request.on('error', reject)
      request.end(bodyOf(sent))
    })
  }

  #sendH2(method: string, path: string, sent: Sent): Promise<Answer> {
    const body = bodyOf(sent)
    const headers = { ':method': method, ':path': path, ':authority': 'localhost', ...headersOf(sent) }
    return new Promise((resolve, reject) => {
      const stream = this.session.request(headers, { endStream: body === undefined })
      const chunks: Buffer[] = []
      stream.on('error', reject)
      stream.on('response', ({ ':status': status, ...headers }) => {
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => resolve(toAnswer(Number(status), headers as Answer['headers'], chunks)))
      })
      if (body !== undefined) stream.end(body)
    })
  }
}
