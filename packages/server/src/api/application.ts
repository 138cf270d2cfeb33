import type {
  Awaitable,
  ChannelState,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishRequest,
  RevocationTarget,
  RevokeOptions,
  Target,
} from '@fusewire/engine'
import type { Member } from '@fusewire/protocol'

/** What has become of a command, over all nodes. */
export interface Touched {
  /** Sessions of the nodes that have answered. */
  readonly sessions: number
  /** Nodes of which nobody knows whether they have done it. */
  readonly unreachable?: readonly string[]
}

/** What the HTTP API asks of the engine, and of other nodes. Refusals MUST be `FusewireError`s; anything else that is thrown is answered `internal_error`. */
export interface Application {
  publish(channel: string, draft: PublicationDraft, options?: PublishRequest): Awaitable<Published>
  history(channel: string, query: HistoryQuery): Awaitable<HistoryPage>
  clearHistory(channel: string): Awaitable<void>
  /** These four MUST refuse with `feature_disabled` where the rule keeps no document. */
  state(channel: string): Awaitable<ChannelState>
  /** The same for a client, by its token if it has one. MUST refuse those that may not subscribe. */
  stateFor(token: string | undefined, channel: string): Promise<ChannelState>
  removeState(channel: string): Awaitable<boolean>
  assertKeepsState(channel: string): void
  presence(channel: string): Awaitable<readonly Member[]>
  presenceCount(channel: string): Awaitable<{ readonly sessions: number; readonly users: number }>
  /** Channels with subscribers; all without a pattern. */
  channels(pattern?: string): Awaitable<{
    readonly channels: readonly { readonly channel: string; readonly subscribers: number }[]
    readonly unreachable?: readonly string[]
  }>
  /** These answer with the sessions that they have found. */
  subscribeUser(target: Target, channel: string): Awaitable<Touched>
  unsubscribeUser(target: Target, channel: string): Awaitable<Touched>
  disconnectUser(target: Target): Awaitable<Touched>
  /** Another end of the identity, in milliseconds from now; none without a value. */
  refreshUser(target: Target, expiresInMs?: number): Awaitable<Touched>
  /** Has the clients come back elsewhere. */
  moveUser(target: Target): Awaitable<Touched>
  /** Answers with the sessions that have ended. */
  revoke(target: RevocationTarget, options?: RevokeOptions): Awaitable<Touched>
  rpc(method: string, data: unknown): Promise<unknown>
}
