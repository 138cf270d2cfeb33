import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import { Agent, request } from 'node:https'
import type { Readable } from 'node:stream'
import { ALPN, PATHS, type ServerMessage } from '@fusewire/protocol'
import { eventually } from '@fusewire/testkit'
import { expect } from 'vitest'
import { MessageLines } from './message-lines.ts'
import { openSocket } from './open-websocket.ts'
import { MessageEvents } from './server-sent-events.ts'
import type { Endpoints } from './way.ts'
import { openWebSocket } from './websocket-way.ts'

/** A client of one channel that stops to read, and may go on later. */
export interface StallingClient {
  readonly received: readonly ServerMessage[]
  /** True when the server has ended the connection; known only to one that reads. */
  readonly isEnded: boolean
  /** From now on what comes stays where it is. */
  stall(): void
  readOn(): void
  /** Idempotent. */
  destroy(): void
}

export interface StallingWay {
  readonly name: string
  /** As the server's log and metrics call it. */
  readonly transport: string
  /** Resolves when the client is subscribed. */
  open(endpoints: Endpoints, channel: string): Promise<StallingClient>
}

const connectTo = (channel: string): string => JSON.stringify({ type: 'connect', subscriptions: [{ channel }] })

const isSubscribed = ({ received }: StallingClient): boolean => received.some(({ type }) => type === 'subscribed')

const subscribed = async <Client extends StallingClient>(client: Client): Promise<Client> => {
  await eventually(() => isSubscribed(client), { timeoutMs: 10_000 })
  return client
}

/** A client of a stream that goes on and on, and of what reads messages from it. */
const ofStream = (
  stream: Readable,
  read: (received: ServerMessage[]) => { push(chunk: Uint8Array): void },
  destroy: () => unknown,
): Promise<StallingClient> => {
  const received: ServerMessage[] = []
  const reader = read(received)
  let isEnded = false
  const ended = (): void => {
    isEnded = true
  }
  stream.on('data', (chunk: Uint8Array) => reader.push(chunk))
  stream.on('error', ended).on('end', ended).on('close', ended)
  return subscribed({
    received,
    get isEnded() {
      return isEnded
    },
    stall: () => stream.pause(),
    readOn: () => stream.resume(),
    destroy,
  })
}

export const stallingWebSocket = (over: 'HTTP/1.1' | 'HTTP/2'): StallingWay => ({
  name: `WebSocket over ${over}`,
  transport: over === 'HTTP/2' ? 'websocket-h2' : 'websocket',
  open: async (endpoints, channel) => {
    const socket = await openWebSocket(endpoints, over)
    const received: ServerMessage[] = []
    socket.send(connectTo(channel))
    return subscribed({
      get received() {
        for (const text of socket.messages.splice(0))
          received.push(...`${text}`.split('\n').map((line) => JSON.parse(line) as ServerMessage))
        return received
      },
      get isEnded() {
        return socket.closed !== undefined || socket.ended
      },
      stall: () => socket.stream.pause(),
      readOn: () => socket.stream.resume(),
      destroy: () => socket.destroy(),
    })
  },
})

const lines = (received: ServerMessage[]) => new MessageLines(received)
const events = (received: ServerMessage[]) => new MessageEvents(received)

const http1 = (transport: 'sse' | 'stream'): StallingWay => ({
  name: `${transport} over HTTP/1.1`,
  transport,
  open: async ({ https }, channel) => {
    const agent = new Agent()
    const asked =
      transport === 'sse'
        ? request(`${https}${PATHS.sse}?channel=${channel}`, { agent })
        : request(https + PATHS.stream, { agent, method: 'POST' })
    asked.on('error', () => {}).end(transport === 'sse' ? undefined : `${connectTo(channel)}\n`)
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return ofStream(response, transport === 'sse' ? events : lines, () => asked.destroy())
  },
})

const http2 = (transport: 'sse' | 'stream'): StallingWay => ({
  name: `${transport} over HTTP/2`,
  transport,
  open: async ({ https }, channel) => {
    const session = connect(https)
    session.on('error', () => {})
    const stream =
      transport === 'sse'
        ? session.request({ ':path': `${PATHS.sse}?channel=${channel}` })
        : session.request({ ':method': 'POST', ':path': PATHS.stream })
    stream.on('error', () => {}).once('close', () => session.destroy())
    stream.end(transport === 'sse' ? undefined : `${connectTo(channel)}\n`)
    await once(stream, 'response')
    return ofStream(stream, transport === 'sse' ? events : lines, () => session.destroy())
  },
})

/** Does not poll while it stalls, which the server suffers for 10 seconds. */
class PollingClient implements StallingClient {
  readonly received: ServerMessage[] = []
  readonly #url: string
  readonly #lines = new MessageLines(this.received)
  readonly #abort = new AbortController()
  #isStalled = false
  isEnded = false

  constructor(url: string) {
    this.#url = url
  }

  async open(body: string): Promise<void> {
    await this.#hear('', body)
    expect(this.received[0]).toMatchObject({ type: 'open' })
    void this.#poll()
  }

  stall(): void {
    this.#isStalled = true
  }

  readOn(): void {
    this.#isStalled = false
    void this.#poll()
  }

  destroy(): void {
    this.#isStalled = true
    this.#abort.abort()
  }

  async #poll(): Promise<void> {
    const [first] = this.received
    const connection = first?.type === 'open' ? first.connection : ''
    while (!this.#isStalled && !this.isEnded) await this.#hear(`?connection=${encodeURIComponent(connection)}`)
  }

  async #hear(query: string, body = ''): Promise<void> {
    try {
      const response = await fetch(this.#url + query, { method: 'POST', body, signal: this.#abort.signal })
      if (response.ok) this.#lines.push(await response.bytes())
      else this.isEnded = true
    } catch {
      this.isEnded = true
    }
  }
}

const poll: StallingWay = {
  name: 'poll',
  transport: 'poll',
  open: async ({ https }, channel) => {
    const client = new PollingClient(https + PATHS.poll)
    await client.open(`${connectTo(channel)}\n`)
    return subscribed(client)
  },
}

const tcp: StallingWay = {
  name: 'raw TCP',
  transport: 'tcp',
  open: async ({ https }, channel) => {
    const socket = await openSocket(https, ALPN)
    socket.write(`${connectTo(channel)}\n`)
    return ofStream(socket, lines, () => socket.destroy())
  },
}

/** Every transport, and over HTTP/1.1 and HTTP/2 where both carry it. */
export const STALLING_WAYS: readonly StallingWay[] = [
  stallingWebSocket('HTTP/1.1'),
  stallingWebSocket('HTTP/2'),
  http1('sse'),
  http2('sse'),
  http1('stream'),
  http2('stream'),
  poll,
  tcp,
]
