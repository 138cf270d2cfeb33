import type { Member } from '@fusewire/protocol'
import type { Log } from './log.ts'
import type { Announcement, Awaitable, Broker } from './ports/broker.ts'
import type { PresenceStore } from './ports/presence-store.ts'
import type { RuleBook } from './rule-book.ts'
import type { Session } from './session.ts'
import type { PresenceState, Subscription } from './subscription.ts'

export interface AttendancePorts {
  readonly presence: PresenceStore
  readonly broker: Broker
  readonly rules: RuleBook
  readonly log: Log
}

/**
 * Keeps the presence store in step with the subscriptions, and has everyone who watches told who comes and goes. Whether somebody has
 * come or gone the store decides, so that of all nodes one tells of it. What is told of one session in one channel keeps its order.
 */
export class Attendance {
  readonly #ports: AttendancePorts
  /** The last answer of the store that something is to be told after, by channel and session. */
  readonly #underWay = new Map<string, Promise<void>>()
  #isRefused = false

  constructor(ports: AttendancePorts) {
    this.#ports = ports
  }

  /** Makes the subscription seen, where the channel's rule keeps presence. Rejects when the store does; it may be tried again then. */
  async join(subscription: Subscription): Promise<void> {
    const { channel, session, presence } = subscription
    if (presence.kind === 'present' || !this.#ports.rules.of(channel.name).presence) return
    const member = session.member(subscription.info)
    // An attempt before this one may have taken effect without anybody having been told.
    const isUnsure = presence.kind === 'joining'
    if (presence.kind === 'absent') subscription.presence = { kind: 'joining', member }
    const isNew = await this.#ports.presence.add(channel.name, member)
    // It may have left meanwhile, or another connection of its session may have been told first.
    if (!isOpen(subscription.presence)) return
    subscription.presence = { kind: 'present', member }
    if (isNew || isUnsure) this.#tell({ type: 'join', channel: channel.name, member }, true)
  }

  /** Idempotent. Nobody hears that somebody leaves of whom they have not heard; the store is told all the same. */
  leave(subscription: Subscription): void {
    const { channel, session, presence } = subscription
    if (presence.kind === 'absent') return
    subscription.presence = { kind: 'absent' }
    const wasThere = this.#remove(channel.name, session.id)
    if (presence.kind !== 'joining') this.#tell({ type: 'leave', channel: channel.name, member: presence.member }, wasThere)
  }

  /** The same for one whose subscription is on no node any more. Rejects when the store does. */
  async part(channel: string, member: Member): Promise<void> {
    const wasThere = await this.#ports.presence.remove(channel, member.session)
    this.#tell({ type: 'leave', channel, member }, wasThere)
  }

  /** The store is to keep these for longer, or to take them back. Never rejects: there is a next time. */
  async refresh(sessions: readonly Session[]): Promise<void> {
    const members = new Map<string, Member[]>()
    for (const { subscriptions } of sessions) {
      for (const { channel, presence } of subscriptions.values()) {
        if (presence.kind !== 'present') continue
        const known = members.get(channel.name)
        if (known) known.push(presence.member)
        else members.set(channel.name, [presence.member])
      }
    }
    try {
      await Promise.all([...members].map(([channel, all]) => this.#ports.presence.refresh(channel, all)))
      this.#isRefused = false
    } catch (error) {
      if (!this.#isRefused) this.#ports.log('presence_refresh_failed', { error })
      this.#isRefused = true
    }
  }

  /** Announces it if the store says that it is so, after what is under way of the same session. Nobody waits for it. */
  #tell(message: Announcement, isSo: Awaitable<boolean>): void {
    const key = `${message.member.session} ${message.channel}`
    const before = this.#underWay.get(key)
    if (!before && !(isSo instanceof Promise)) {
      if (isSo) this.#announce(message)
      return
    }
    const told = Promise.all([isSo, before]).then(([answer]) => {
      if (this.#underWay.get(key) === told) this.#underWay.delete(key)
      if (answer) this.#announce(message)
    })
    this.#underWay.set(key, told)
  }

  /** Never rejects: whoever must know reads the store. */
  async #announce(message: Announcement): Promise<void> {
    try {
      await this.#ports.broker.announce(message)
    } catch (error) {
      this.#ports.log('announcement_failed', { channel: message.channel, error })
    }
  }

  /** False where the store refuses: that is logged, and never rejects. */
  #remove(channel: string, session: string): Awaitable<boolean> {
    const refused = (error: unknown): boolean => {
      this.#ports.log('presence_remove_failed', { channel, session, error })
      return false
    }
    try {
      const wasThere = this.#ports.presence.remove(channel, session)
      return wasThere instanceof Promise ? wasThere.catch(refused) : wasThere
    } catch (error) {
      return refused(error)
    }
  }
}

/** Whether the store is still to be told. */
const isOpen = ({ kind }: PresenceState): boolean => kind === 'joining' || kind === 'taken'
