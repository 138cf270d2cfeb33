import type { Member } from '@fusewire/protocol'
import type { Awaitable } from './broker.ts'

/**
 * Who is subscribed where, over all nodes. Calls for one session in one channel MUST take effect in the order in which they are
 * made, whether or not the caller has waited for the one before: a `remove` follows an `add` that is still under way. A store that
 * nodes share MUST forget a member whom no node has added or refreshed for the store's TTL, which is longer than a session is kept for
 * its client: a `remove` at the end of a session finds it still there. Errors MUST be {@link FusewireError}s,
 * `broker_unavailable` when the store is away.
 */
export interface PresenceStore {
  /** Adds a member, or replaces the one with the same session. True when the session was not there. */
  add(channel: string, member: Member): Awaitable<boolean>
  /** Takes one whom it does not know, too. True when the session was there: of several that remove it, one is told so. */
  remove(channel: string, session: string): Awaitable<boolean>
  /** These members' TTL begins anew; those whom the store has lost come back. */
  refresh(channel: string, members: readonly Member[]): Awaitable<void>
  list(channel: string): Awaitable<readonly Member[]>
  /** Sessions, and distinct users among them; sessions without a user count as one user each. */
  count(channel: string): Awaitable<{ sessions: number; users: number }>
  close(): Awaitable<void>
}
