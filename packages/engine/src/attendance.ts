import type { Log } from './log.ts'
import type { Announcement, Broker } from './ports/broker.ts'
import type { PresenceStore } from './ports/presence-store.ts'
import type { RuleBook } from './rule-book.ts'
import type { Subscription } from './subscription.ts'

export interface AttendancePorts {
  readonly presence: PresenceStore
  readonly broker: Broker
  readonly rules: RuleBook
  readonly log: Log
}

/** Keeps the presence store in step with the subscriptions, and has everyone who watches told who comes and goes. */
export class Attendance {
  readonly #ports: AttendancePorts

  constructor(ports: AttendancePorts) {
    this.#ports = ports
  }

  /** Makes the subscription seen, where the channel's rule keeps presence. Rejects when the store does; it may be tried again then. */
  async join(subscription: Subscription): Promise<void> {
    const { channel, session } = subscription
    if (subscription.presence.kind === 'present' || !this.#ports.rules.of(channel.name).presence) return
    const member = session.member(subscription.info)
    subscription.presence = { kind: 'joining', member }
    await this.#ports.presence.add(channel.name, member)
    // It may have left meanwhile, or another connection of its session may have been told first.
    if (subscription.presence.kind !== 'joining') return
    subscription.presence = { kind: 'present', member }
    await this.#announce({ type: 'join', channel: channel.name, member })
  }

  /** Idempotent. Nobody hears that somebody leaves of whom they have not heard; the store is told all the same. */
  leave(subscription: Subscription): void {
    const { channel, session, presence } = subscription
    if (presence.kind === 'absent') return
    subscription.presence = { kind: 'absent' }
    this.#remove(channel.name, session.id)
    if (presence.kind === 'present') this.#announce({ type: 'leave', channel: channel.name, member: presence.member })
  }

  /** Never rejects: whoever must know reads the store. */
  async #announce(message: Announcement): Promise<void> {
    try {
      await this.#ports.broker.announce(message)
    } catch (error) {
      this.#ports.log('announcement_failed', { channel: message.channel, error })
    }
  }

  /** Nobody waits for this, and it never rejects. */
  async #remove(channel: string, session: string): Promise<void> {
    try {
      await this.#ports.presence.remove(channel, session)
    } catch (error) {
      this.#ports.log('presence_remove_failed', { channel, session, error })
    }
  }
}
