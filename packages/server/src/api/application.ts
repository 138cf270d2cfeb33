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

/** What the HTTP API asks of the engine. Refusals MUST be `FusewireError`s; anything else that is thrown is answered `internal_error`. */
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
  /** Channels with subscribers on this node; all without a pattern. */
  channels(pattern?: string): readonly { readonly channel: string; readonly subscribers: number }[]
  /** These three answer with the number of sessions touched. */
  subscribeUser(target: Target, channel: string): Awaitable<number>
  unsubscribeUser(target: Target, channel: string): Awaitable<number>
  disconnectUser(target: Target): Awaitable<number>
  /** Answers with the number of sessions that have ended. */
  revoke(target: RevocationTarget, options?: RevokeOptions): Awaitable<number>
  rpc(method: string, data: unknown): Promise<unknown>
}
