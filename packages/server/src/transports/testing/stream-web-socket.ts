import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import type { Duplex, Writable } from 'node:stream'
import * as ws from 'ws'

interface Framing {
  readonly Receiver: new (options: object) => Writable
  readonly Sender: new (
    stream: Duplex,
  ) => {
    send(data: Buffer, options: object): void
    close(code: number | undefined, reason: string, mask: boolean): void
    pong(data: Buffer, mask: boolean): void
  }
}
const { Receiver, Sender } = ws as unknown as Framing

/** A client's WebSocket over any stream, of the framing of `ws` alone: it does nothing by itself but answer pings and closes. */
export class StreamWebSocket {
  readonly stream: Duplex
  readonly messages: Buffer[] = []
  /** Close codes in the order in which they came; 1006 when the stream ended without one. */
  readonly closed: Promise<number>
  answersClose = true
  /** A client ends its side of the stream when the server has ended the other; Firefox does not over HTTP/2. */
  endsStream = true
  readonly #sender: InstanceType<Framing['Sender']>

  constructor(stream: Duplex, options: object = {}) {
    this.stream = stream
    this.#sender = new Sender(stream)
    const receiver = new Receiver({ isServer: false, ...options })
    this.closed = new Promise((resolve) => {
      receiver.on('conclude', (code: number) => {
        if (this.answersClose) this.#sender.close(code === 1005 ? undefined : code, '', true)
        resolve(code)
      })
      stream.on('close', () => resolve(1006))
    })
    receiver.on('message', (data: Buffer) => this.messages.push(data))
    receiver.on('ping', (data: Buffer) => this.#sender.pong(data, true))
    stream.on('data', (chunk: Buffer) => receiver.write(chunk))
    stream.on('end', () => {
      if (this.endsStream) stream.end()
    })
    stream.on('error', () => {})
  }

  get texts(): string[] {
    return this.messages.map(String)
  }

  send(data: string | Uint8Array): void {
    const binary = typeof data !== 'string'
    this.#sender.send(Buffer.from(data as Uint8Array), { mask: true, fin: true, binary })
  }

  close(code: number): void {
    this.#sender.close(code, '', true)
  }
}

export const connectSession = async (url: string): Promise<ClientHttp2Session> => {
  const session = connect(url, { rejectUnauthorized: false, servername: 'localhost' })
  session.on('error', () => {})
  await once(session, 'remoteSettings')
  return session
}

export interface Http2Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  /** Of an answer that opens no WebSocket. */
  readonly body: string
  readonly socket: StreamWebSocket
}

/** An extended CONNECT (RFC 8441) with the least that a client must send. */
export const connectWebSocket = async (
  session: ClientHttp2Session,
  path = '/fusewire/v1/ws',
  headers: Record<string, string> = {},
): Promise<Http2Answer> => {
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'https',
      ':authority': 'localhost',
      ':path': path,
      'sec-websocket-version': '13',
      ...headers,
    },
    { endStream: false },
  )
  const [answer] = await once(stream, 'response')
  let body = ''
  if (answer[':status'] !== 200) for await (const chunk of stream) body += chunk
  return { status: answer[':status'], headers: answer, body, socket: new StreamWebSocket(stream) }
}
