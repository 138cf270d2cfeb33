import {
  type ChannelState,
  ConflictError,
  type HistoryPage,
  type HistoryQuery,
  type PublicationDraft,
  type Published,
  type PublishRequest,
  type RevocationTarget,
  type RevokeOptions,
  type Target,
} from '@fusewire/engine'
import { FusewireError, type Member } from '@fusewire/protocol'
import type { Application, Touched } from '../application.ts'

/** Writes down what it is asked, and answers from a few plain values. */
export class FakeApplication implements Application {
  readonly calls: unknown[][] = []
  /** Nodes that do not answer. */
  unreachable: readonly string[] = []
  members: readonly Member[] = [{ session: 's1', user: 'ada', info: { mood: 'good' } }, { session: 's2' }]
  page: HistoryPage = {
    position: { epoch: 'e1', offset: 7 },
    publications: [{ offset: 7, data: { n: 7 }, time: 1_700_000_000_000 }],
    complete: true,
  }
  document: ChannelState = { position: { epoch: 'e/1', offset: 7 }, document: { a: 1 }, time: 1_700_000_000_000 }
  /** What a handler returns, by method. */
  readonly handlers: Record<string, (data: unknown) => unknown> = { sum: (data) => (data as number[]).reduce((a, b) => a + b, 0) }
  /** Channels that refuse, and with what. */
  readonly refusals = new Map<string, Error>()
  readonly #offsets = new Map<string, number>()
  readonly #keys = new Map<string, number>()

  publish(channel: string, draft: PublicationDraft, options: PublishRequest = {}): Published {
    this.calls.push(['publish', channel, draft, options])
    const refusal = this.refusals.get(channel)
    if (refusal) throw refusal
    if (options.ifPosition && options.ifPosition.offset !== this.document.position.offset) throw new ConflictError(this.document)
    const key = options.idempotencyKey && `${channel} ${options.idempotencyKey}`
    const first = key && this.#keys.get(key)
    if (first) return { position: { epoch: 'e1', offset: first }, duplicate: true }
    const offset = (this.#offsets.get(channel) ?? 0) + 1
    this.#offsets.set(channel, offset)
    if (key) this.#keys.set(key, offset)
    return { position: { epoch: 'e1', offset }, duplicate: false }
  }

  async history(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    this.calls.push(['history', channel, query])
    return this.page
  }

  async clearHistory(channel: string): Promise<void> {
    this.calls.push(['clearHistory', channel])
  }

  async state(channel: string): Promise<ChannelState> {
    this.calls.push(['state', channel])
    this.assertKeepsState(channel)
    return this.document
  }

  async stateFor(token: string | undefined, channel: string): Promise<ChannelState> {
    this.calls.push(['stateFor', token, channel])
    if (token === 'wrong') throw new FusewireError('token_invalid')
    return this.document
  }

  removeState(channel: string): boolean {
    this.calls.push(['removeState', channel])
    return this.document.document !== undefined
  }

  assertKeepsState(channel: string): void {
    if (!channel.startsWith('doc:')) throw new FusewireError('feature_disabled')
  }

  presence(channel: string): readonly Member[] {
    this.calls.push(['presence', channel])
    return this.members
  }

  async presenceCount(channel: string): Promise<{ sessions: number; users: number }> {
    this.calls.push(['presenceCount', channel])
    return { sessions: 3, users: 2 }
  }

  channels(pattern?: string): { channels: readonly { channel: string; subscribers: number }[]; unreachable?: readonly string[] } {
    this.calls.push(['channels', pattern])
    return { channels: [{ channel: 'chat:lobby', subscribers: 2 }], ...this.#unreachable() }
  }

  async subscribeUser(target: Target, channel: string): Promise<Touched> {
    this.calls.push(['subscribeUser', target, channel])
    return { sessions: 2, ...this.#unreachable() }
  }

  unsubscribeUser(target: Target, channel: string): Touched {
    this.calls.push(['unsubscribeUser', target, channel])
    return { sessions: 1, ...this.#unreachable() }
  }

  disconnectUser(target: Target): Touched {
    this.calls.push(['disconnectUser', target])
    return { sessions: 0, ...this.#unreachable() }
  }

  refreshUser(target: Target, expiresInMs?: number): Touched {
    this.calls.push(['refreshUser', target, expiresInMs])
    return { sessions: 4, ...this.#unreachable() }
  }

  moveUser(target: Target): Touched {
    this.calls.push(['moveUser', target])
    return { sessions: 5, ...this.#unreachable() }
  }

  revoke(target: RevocationTarget, options: RevokeOptions = {}): Touched {
    this.calls.push(['revoke', target, options])
    const refusal = 'user' in target && this.refusals.get(target.user)
    if (refusal) throw refusal
    return { sessions: 3, ...this.#unreachable() }
  }

  async rpc(method: string, data: unknown): Promise<unknown> {
    this.calls.push(['rpc', method, data])
    const handler = Object.hasOwn(this.handlers, method) ? this.handlers[method] : undefined
    if (!handler) throw new FusewireError('method_not_found')
    return handler(data)
  }

  #unreachable(): { unreachable?: readonly string[] } {
    return this.unreachable.length === 0 ? {} : { unreachable: this.unreachable }
  }
}
