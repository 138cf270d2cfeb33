import type { Member } from '@fusewire/protocol'
import type { Awaitable } from './broker.ts'

/**
 * Who is subscribed where, over all nodes. Calls for one session in one channel MUST take effect in the order in which they are
 * made, whether or not the caller has waited for the one before: a `remove` follows an `add` that is still under way.
 */
export interface PresenceStore {
  /** Adds a member, or replaces the one with the same session. */
  add(channel: string, member: Member): Awaitable<void>
  /** Takes one whom it does not know, too. */
  remove(channel: string, session: string): Awaitable<void>
  list(channel: string): Awaitable<readonly Member[]>
  /** Sessions, and distinct users among them; sessions without a user count as one user each. */
  count(channel: string): Awaitable<{ sessions: number; users: number }>
}
