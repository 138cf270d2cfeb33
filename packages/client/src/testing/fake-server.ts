import {
  type ClientMessage,
  type Connect,
  type ErrorMessage,
  mergePatch,
  type Position,
  type Publication,
  type Publish,
  type ServerMessage,
  type SubscriptionRequest,
} from '@fusewire/protocol'
import { present } from '../wire/present.ts'

/** The server's end of one connection. */
export interface FakeLine {
  /** False once either side has ended it. */
  isOpen: boolean
  /** Reaches the client. */
  deliver(messages: readonly unknown[]): void
  /** Ends it as a failing network does. */
  cut(): void
  /** Ends it as a server does. */
  end(closeCode: number): void
}

interface FakeSession {
  readonly id: string
  readonly resume: string
  line: FakeLine | undefined
  readonly channels: Map<string, SubscriptionRequest>
}

interface FakeChannel {
  epoch: string
  readonly log: Publication[]
  readonly keys: Map<string, Position>
}

type PublishOptions = Pick<Publish, 'key' | 'tags' | 'patch'>

type Answer = ServerMessage | undefined

/** A server in memory, as small as the client's tests allow: sessions, channels with history, idempotency keys, documents. */
export class FakeServer {
  readonly lines: FakeLine[] = []
  /** Every message that came, in order. */
  readonly received: ClientMessage[] = []
  readonly channels = new Map<string, FakeChannel>()
  /** Publications that can be recovered, in each channel. */
  historySize = Number.POSITIVE_INFINITY
  pingIntervalMs = 25_000
  pongTimeoutMs = 5_000
  sessionTtlMs = 60_000
  expiresAt: number | undefined
  /** Tokens that are good; undefined: no token is needed. */
  tokens: Set<string> | undefined
  /** Answers in place of the server; `'silence'` answers nothing. */
  intercept: (message: ClientMessage, line: FakeLine) => ServerMessage | 'silence' | undefined = () => undefined
  readonly #sessions = new Map<string, FakeSession>()
  readonly #sessionOf = new Map<FakeLine, FakeSession>()
  #names = 0

  get openLines(): FakeLine[] {
    return this.lines.filter((line) => line.isOpen)
  }

  open(line: FakeLine): void {
    this.lines.push(line)
  }

  closed(line: FakeLine): void {
    line.isOpen = false
    const session = this.#sessionOf.get(line)
    if (session?.line === line) session.line = undefined
  }

  receive(line: FakeLine, message: ClientMessage): void {
    if (!line.isOpen) return
    this.received.push(message)
    const intercepted = this.intercept(message, line)
    if (intercepted === 'silence') return
    const answer = intercepted ?? this.#handle(line, message)
    if (answer) line.deliver([answer])
  }

  publish(channel: string, data: unknown, options: PublishOptions = {}): Position {
    const { epoch, log, keys } = this.channel(channel)
    const known = options.key === undefined ? undefined : keys.get(options.key)
    if (known) return known
    const publication: Publication = {
      offset: log.length + 1,
      data,
      time: Date.now(),
      ...(options.tags && { tags: options.tags }),
      ...(options.patch && { patch: true }),
    }
    log.push(publication)
    const position = { epoch, offset: publication.offset }
    if (options.key !== undefined) keys.set(options.key, position)
    this.tell(channel, { type: 'publication', channel, ...publication })
    return position
  }

  /** To every subscriber. */
  tell(channel: string, message: ServerMessage): void {
    for (const { line, channels } of this.#sessions.values()) if (channels.has(channel)) line?.deliver([message])
  }

  /** To every connection, whatever it is. */
  say(...messages: unknown[]): void {
    for (const line of this.openLines) line.deliver(messages)
  }

  cut(): void {
    for (const line of this.openLines) line.cut()
  }

  /** All sessions are forgotten, as after a restart; `channels` too when asked for. */
  forget(channels = false): void {
    this.cut()
    this.#sessions.clear()
    if (channels) this.channels.clear()
  }

  channel(name: string): FakeChannel {
    const known = this.channels.get(name)
    if (known) return known
    const channel: FakeChannel = { epoch: `epoch-${++this.#names}`, log: [], keys: new Map() }
    this.channels.set(name, channel)
    return channel
  }

  position(name: string): Position {
    const { epoch, log } = this.channel(name)
    return { epoch, offset: log.length }
  }

  /** What the publications make of a state channel, which every channel is here whose name says so; undefined for none. */
  document(name: string): unknown {
    if (!name.startsWith('state:')) return undefined
    return this.channel(name).log.reduce<unknown>(
      (document, { data, patch }) => (patch ? mergePatch(document, data) : data),
      undefined,
    )
  }

  subscribe(name: string): void {
    for (const session of this.#sessions.values()) this.#subscribe(session, { channel: name })
  }

  count(type: ClientMessage['type']): number {
    return this.received.filter((message) => message.type === type).length
  }

  #handle(line: FakeLine, message: ClientMessage): Answer {
    if (message.type === 'ping') return { type: 'pong', ...idOf(message) }
    if (message.type === 'connect') return this.#connect(line, message)
    const session = this.#sessionOf.get(line)
    if (!session) return refuse(message, 'not_connected')
    switch (message.type) {
      case 'subscribe':
        return this.#subscribe(session, message)
      case 'unsubscribe':
        if (!session.channels.delete(message.channel)) return refuse(message, 'not_subscribed')
        return { type: 'unsubscribed', channel: message.channel, ...idOf(message) }
      case 'publish':
        return this.#publish(message)
      case 'history': {
        const { log } = this.channel(message.channel)
        return { type: 'result', ...idOf(message), data: { position: this.position(message.channel), publications: log } }
      }
      case 'presence':
        return { type: 'result', ...idOf(message), data: { members: [{ session: session.id }] } }
      case 'rpc':
        return { type: 'result', ...idOf(message), data: { method: message.method, data: message.data } }
      case 'refresh':
        return { type: 'result', ...idOf(message), data: this.expiresAt === undefined ? {} : { expiresAt: this.expiresAt } }
      case 'disconnect':
        this.#sessions.delete(session.resume)
        line.end(1000)
        return undefined
      default:
        return undefined
    }
  }

  #publish(message: Publish): ServerMessage {
    const { channel, data, key = '', ifPosition } = message
    const position = this.position(channel)
    const isFirst = !this.channel(channel).keys.has(key)
    if (ifPosition && isFirst && (ifPosition.epoch !== position.epoch || ifPosition.offset !== position.offset))
      return refuse(message, 'conflict', present({ position, document: this.document(channel) }))
    return { type: 'result', ...idOf(message), data: { position: this.publish(channel, data, message) } }
  }

  #connect(line: FakeLine, message: Connect): Answer {
    if (this.tokens && !this.tokens.has(message.token ?? ''))
      return refuse(message, message.token ? 'token_expired' : 'token_required')
    const known = this.#sessions.get(message.resume ?? '')
    const name = `session-${++this.#names}`
    const session: FakeSession = known ?? { id: name, resume: `secret of ${name}`, line: undefined, channels: new Map() }
    session.line = line
    this.#sessions.set(session.resume, session)
    this.#sessionOf.set(line, session)
    line.deliver([
      {
        type: 'connected',
        ...idOf(message),
        session: session.id,
        resume: session.resume,
        resumed: known !== undefined,
        node: 'fake',
        version: '0',
        pingIntervalMs: this.pingIntervalMs,
        pongTimeoutMs: this.pongTimeoutMs,
        sessionTtlMs: this.sessionTtlMs,
        ...(this.expiresAt !== undefined && { expiresAt: this.expiresAt }),
      } satisfies ServerMessage,
    ])
    for (const subscription of message.subscriptions ?? []) {
      const answer = this.intercept({ type: 'subscribe', ...subscription }, line) ?? this.#subscribe(session, subscription)
      if (answer && answer !== 'silence') line.deliver([answer])
    }
    return undefined
  }

  #subscribe(session: FakeSession, request: SubscriptionRequest): ServerMessage {
    const { channel, since } = request
    const { epoch, log } = this.channel(channel)
    session.channels.set(channel, request)
    const recovered = since?.epoch === epoch && since.offset <= log.length && log.length - since.offset <= this.historySize
    const answer: ServerMessage = {
      type: 'subscribed',
      ...idOf(request),
      channel,
      position: { epoch, offset: log.length },
      ...(since && { recovered }),
      ...(since && recovered && { publications: log.slice(since.offset) }),
      ...present({ document: recovered ? undefined : this.document(channel) }),
    }
    if (request.id !== undefined) return answer
    session.line?.deliver([answer])
    return answer
  }
}

const idOf = ({ id }: { id?: number }): { id?: number } => (id === undefined ? {} : { id })

export const refuse = (
  message: ClientMessage & { id?: number; channel?: string },
  code: string,
  more: Partial<ErrorMessage> = {},
): ServerMessage => ({ type: 'error', ...idOf(message), code, message: code, retryable: false, ...more })
