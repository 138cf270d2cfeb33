import { type ClientMessage, PATHS } from '@fusewire/protocol'
import type { EventSourceLike, Platform, WebSocketLike } from '../platform.ts'
import type { FakeLine, FakeServer } from './fake-server.ts'

/** Which ways through the network are open; what is missing is open. */
export interface FakeNetwork {
  webSocket?: 'refuse' | 'stall'
  stream?: 'refuse' | 'stall' | 'portal'
  sse?: 'refuse'
  poll?: 'refuse'
  send?: 'refuse'
}

const parse = (body: string): ClientMessage[] => body.split('\n').flatMap((line) => (line ? [JSON.parse(line)] : []))
const serialize = (messages: readonly unknown[]): string => messages.map((message) => `${JSON.stringify(message)}\n`).join('')
const soon = (run: () => void): void => void Promise.resolve().then(run)

/** WebSocket, EventSource and fetch whose other end is a {@link FakeServer}. */
export const fakePlatform = (
  server: FakeServer,
  network: FakeNetwork = {},
  handles: { readonly live: Set<object> } = { live: new Set() },
) => {
  class FakeWebSocket implements WebSocketLike {
    readyState = 0
    binaryType = 'blob'
    onopen: unknown = null
    onmessage: unknown = null
    onclose: unknown = null
    onerror: unknown = null
    readonly #line: FakeLine = {
      isOpen: true,
      deliver: (messages) => soon(() => this.readyState === 1 && this.#call(this.onmessage, { data: serialize(messages) })),
      cut: () => this.#end(1006),
      end: (code) => this.#end(code),
    }

    constructor(_url: string, _protocols: string[]) {
      handles.live.add(this)
      if (network.webSocket === 'stall') return
      soon(() => {
        if (network.webSocket === 'refuse') {
          this.#call(this.onerror, {})
          this.#end(1006)
        } else if (this.readyState === 0) {
          this.readyState = 1
          server.open(this.#line)
          this.#call(this.onopen, {})
        }
      })
    }

    send(data: string): void {
      soon(() => {
        for (const message of parse(data)) server.receive(this.#line, message)
      })
    }

    close(): void {
      if (this.readyState >= 2) return
      this.readyState = 2
      handles.live.delete(this)
      // What was sent before goes out before.
      soon(() => soon(() => this.#end(1000)))
    }

    #end(code: number): void {
      if (this.readyState === 3) return
      this.readyState = 3
      handles.live.delete(this)
      server.closed(this.#line)
      this.#call(this.onclose, { code, reason: '' })
    }

    #call(handler: unknown, event: unknown): void {
      if (typeof handler === 'function') handler(event)
    }
  }

  /** By secret: the lines of split transports. */
  const split = new Map<string, { readonly line: FakeLine; sequence: number }>()
  const openSplit = (deliver: (text: string) => void, onEnd: () => void): { line: FakeLine; secret: string } => {
    const secret = `connection ${split.size}`
    const end = (): void => {
      if (!line.isOpen) return
      server.closed(line)
      split.delete(secret)
      handles.live.delete(line)
      onEnd()
    }
    const line: FakeLine = {
      isOpen: true,
      deliver: (messages) => line.isOpen && deliver(serialize(messages)),
      cut: end,
      end,
    }
    handles.live.add(line)
    split.set(secret, { line, sequence: 0 })
    server.open(line)
    line.deliver([{ type: 'open', connection: secret }])
    return { line, secret }
  }

  class FakeEventSource implements EventSourceLike {
    onmessage: unknown = null
    onerror: unknown = null
    #line: FakeLine | undefined
    #isClosed = false

    constructor(_url: string) {
      soon(() => {
        const fail = (): void => soon(() => typeof this.onerror === 'function' && this.onerror({}))
        if (this.#isClosed) return
        if (network.sse === 'refuse') return fail()
        const tell = (text: string): void =>
          soon(() => {
            for (const data of text.split('\n')) if (data && typeof this.onmessage === 'function') this.onmessage({ data })
          })
        this.#line = openSplit(tell, fail).line
      })
    }

    close(): void {
      this.#isClosed = true
      this.#line?.cut()
    }
  }

  const ndjson = (body: BodyInit | null, status = 200): Response =>
    new Response(body, { status, headers: { 'content-type': 'application/x-ndjson' } })
  const refused = (): Promise<never> => Promise.reject(new TypeError('fetch failed'))
  const never = (signal: AbortSignal | null | undefined): Promise<never> =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))

  const stream = async (body: string, signal: AbortSignal | null | undefined): Promise<Response> => {
    if (network.stream === 'refuse') return refused()
    if (network.stream === 'stall') return never(signal)
    if (network.stream === 'portal') return new Response('<html>log in</html>', { headers: { 'content-type': 'text/html' } })
    let push: (text: string) => void = () => {}
    let end: () => void = () => {}
    const answer = new ReadableStream<Uint8Array>({
      start: (controller) => {
        push = (text) => controller.enqueue(new TextEncoder().encode(text))
        end = () => controller.error(new TypeError('terminated'))
      },
    })
    const { line } = openSplit(push, end)
    signal?.addEventListener('abort', () => line.cut())
    for (const message of parse(body)) server.receive(line, message)
    return ndjson(answer)
  }

  /** Text that waits for the next poll, by secret. */
  const mail = new Map<string, { text: string; wake: () => void }>()
  const poll = async (url: URL, body: string, signal: AbortSignal | null | undefined): Promise<Response> => {
    if (network.poll === 'refuse') return refused()
    let secret = url.searchParams.get('connection') ?? ''
    if (!secret) {
      const box = { text: '', wake: () => {} }
      const opened = openSplit(
        (text) => {
          box.text += text
          box.wake()
        },
        () => box.wake(),
      )
      secret = opened.secret
      mail.set(secret, box)
      // A server would notice that nobody polls any more.
      signal?.addEventListener('abort', () => opened.line.cut())
      for (const message of parse(body)) server.receive(opened.line, message)
    }
    const box = mail.get(secret)
    const line = split.get(secret)?.line
    if (!box || !line)
      return new Response(JSON.stringify({ error: { code: 'unknown_connection', message: '', retryable: false } }), {
        status: 404,
      })
    if (!box.text) {
      await new Promise<void>((resolve, reject) => {
        box.wake = resolve
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    }
    if (!line.isOpen) return refused()
    const { text } = box
    box.text = ''
    return ndjson(text)
  }

  const send = async (url: URL, body: string): Promise<Response> => {
    if (network.send === 'refuse') return refused()
    const connection = split.get(url.searchParams.get('connection') ?? '')
    if (!connection)
      return new Response(JSON.stringify({ error: { code: 'unknown_connection', message: '', retryable: false } }), {
        status: 404,
      })
    const sequence = Number(url.searchParams.get('seq'))
    if (sequence <= connection.sequence) return new Response(null, { status: 202 })
    if (sequence !== connection.sequence + 1) throw new Error('POSTs came out of order')
    connection.sequence = sequence
    for (const message of parse(body)) server.receive(connection.line, message)
    return new Response(null, { status: 202 })
  }

  const fetch = async (address: string, { body, signal }: RequestInit): Promise<Response> => {
    const url = new URL(address)
    const text = String(body ?? '')
    await undefined
    signal?.throwIfAborted()
    if (url.pathname === PATHS.stream) return stream(text, signal)
    if (url.pathname === PATHS.poll) return poll(url, text, signal)
    if (url.pathname === PATHS.send) return send(url, text)
    return new Response('', { status: 404 })
  }

  return { WebSocket: FakeWebSocket, EventSource: FakeEventSource, fetch } satisfies Platform
}
