import type { Duplex } from 'node:stream'
import type { NodeBus, PublicationDraft, SessionStore } from '@fusewire/engine'
import { FusewireError, LIMITS } from '@fusewire/protocol'
import { decodeMsgpack } from '@fusewire/protocol/msgpack'
import { type CloseReason, encodeFrame, FrameSocket, type Message } from './frame-socket.ts'
import type { Hub } from './hub.ts'
import { type HubNews, type HubOperation, type HubOperations, refusalOf } from './hub-protocol.ts'

/** What may wait for a worker to read it, in bytes. */
const MAX_UNREAD_BYTES = 67_108_864

type Handlers = {
  readonly [Name in HubOperation]: (
    ...values: Parameters<HubOperations[Name]>
  ) => ReturnType<HubOperations[Name]> | Promise<ReturnType<HubOperations[Name]>>
}

/** The hub's end of the line to one worker. */
export class HubConnection {
  readonly #hub: Hub
  readonly #socket: FrameSocket
  readonly #onClosed: HubConnectionOptions['onClosed']
  readonly #channels = new Set<string>()
  #sessions: SessionStore | undefined
  readonly #bus: NodeBus
  /** Answers that cannot be given yet, and those behind them. */
  #unanswered = 0
  #lastAnswer: Promise<unknown> = Promise.resolve()

  constructor(hub: Hub, socket: Duplex, { onClosed, maxUnreadBytes = MAX_UNREAD_BYTES }: HubConnectionOptions = {}) {
    this.#hub = hub
    this.#bus = hub.bus.node()
    this.#onClosed = onClosed
    this.#socket = new FrameSocket(
      socket,
      { message: (message) => this.#receive(message), closed: (reason) => this.#closed(reason) },
      { maxUnreadBytes },
    )
  }

  /** A worker that does not read is cut off. */
  tell<Name extends keyof HubNews>(name: Name, ...values: HubNews[Name]): void {
    this.#socket.send(name, ...values)
  }

  /** The same, made ready for several workers. */
  tellFrame(frame: Uint8Array): void {
    this.#socket.sendFrame(frame)
  }

  /** Idempotent. */
  close(): void {
    this.#socket.close()
  }

  #receive([name, ...values]: Message): void {
    const handler = (this.#handlers as Record<string, ((...values: unknown[]) => unknown) | undefined>)[name]
    let answer: unknown
    try {
      if (!handler) throw new FusewireError('internal_error', `the hub knows no ${name}`)
      answer = handler(...values)
    } catch (error) {
      answer = Promise.reject(error)
    }
    if (answer instanceof Promise || this.#unanswered > 0) this.#answerInTurn(Promise.resolve(answer))
    else this.#answer(answer)
  }

  /** After the answers to everything that was asked before. */
  #answerInTurn(answer: Promise<unknown>): void {
    this.#unanswered++
    // Until its turn comes, nobody waits for it.
    answer.catch(() => {})
    this.#lastAnswer = this.#lastAnswer.then(async () => {
      try {
        this.#answer(await answer)
      } catch (error) {
        this.#refuse(error)
      }
      this.#unanswered--
    })
  }

  #answer(value: unknown): void {
    try {
      this.#socket.sendFrame(encodeFrame(['ok', value]))
    } catch (error) {
      this.#refuse(error)
    }
  }

  #refuse(error: unknown): void {
    this.#socket.send('no', refusalOf(error))
  }

  #closed(reason: CloseReason): void {
    for (const channel of this.#channels) void this.#hub.interests.remove(channel, this)
    void this.#sessions?.close()
    void this.#bus.close()
    this.#hub.left(this)
    this.#onClosed?.(reason)
  }

  get #ownSessions(): SessionStore {
    if (!this.#sessions) throw new FusewireError('internal_error', 'the worker has not said who it is')
    return this.#sessions
  }

  readonly #handlers: Handlers = {
    'broker.publish': (channel, options, draft) =>
      this.#hub.publish(channel, decodeMsgpack(draft, LIMITS.depth)[0] as PublicationDraft, options, draft),
    'broker.subscribe': (channel) => {
      this.#channels.add(channel)
      return this.#hub.interests.add(channel, this)
    },
    'broker.unsubscribe': (channel) => {
      this.#channels.delete(channel)
      return this.#hub.interests.remove(channel, this)
    },
    'broker.announce': (message) => this.#hub.broker.announce(message),
    'broker.history': (channel, query) => this.#hub.broker.history(channel, query),
    'broker.state': (channel) => this.#hub.broker.state(channel),
    'broker.clearHistory': (channel) => this.#hub.broker.clearHistory(channel),
    'broker.removeDocument': (channel) => this.#hub.broker.removeDocument(channel),
    'presence.add': (channel, member) => this.#hub.presence.add(channel, member),
    'presence.remove': (channel, session) => this.#hub.presence.remove(channel, session),
    'presence.refresh': (channel, members) => this.#hub.presence.refresh(channel, members),
    'presence.list': (channel) => this.#hub.presence.list(channel),
    'presence.count': (channel) => this.#hub.presence.count(channel),
    'revocations.start': () => this.#hub.revocationsInForce(),
    'revocations.revoke': (revocation, expiresAt) => this.#hub.revoke(revocation, expiresAt),
    'sessions.start': (node) => {
      this.#sessions = this.#hub.sessions.node(node)
      return this.#sessions.start({ lost: (session) => this.tell('lost', session), due: () => undefined })
    },
    'sessions.put': (records, ttlMs) => this.#ownSessions.put(records, ttlMs),
    'sessions.refresh': (ids, ttlMs) => this.#ownSessions.refresh(ids, ttlMs),
    'sessions.find': async (id) => (await this.#ownSessions.find(id)) ?? null,
    'sessions.take': async (id, ttlMs) => (await this.#ownSessions.take(id, ttlMs)) ?? null,
    'sessions.remove': (ids) => this.#ownSessions.remove(ids),
    'sessions.expired': (limit, leaseMs) => this.#ownSessions.expired(limit, leaseMs),
    'bus.start': (node) => this.#bus.start(node, { message: (payload) => this.tell('bus', payload) }),
    'bus.send': (payload, to) => this.#bus.send(payload, to ?? undefined),
  }
}

export interface HubConnectionOptions {
  /** The worker has gone, or was cut off because it does not read. */
  readonly onClosed?: (reason: CloseReason) => void
  /** What may wait for the worker to read it, in bytes. Default 67,108,864 (64 MiB). */
  readonly maxUnreadBytes?: number
}
