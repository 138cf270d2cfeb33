import type {
  Awaitable,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  RevocationTarget,
  RevokeOptions,
  Target,
} from '@fusewire/engine'
import type { Member } from '@fusewire/protocol'

/** What the HTTP API asks of the engine. Refusals MUST be `FusewireError`s; anything else that is thrown is answered `internal_error`. */
export interface Application {
  publish(channel: string, draft: PublicationDraft, options?: { idempotencyKey?: string }): Awaitable<Published>
  history(channel: string, query: HistoryQuery): Awaitable<HistoryPage>
  clearHistory(channel: string): Awaitable<void>
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
