import type { Member } from '@fusewire/protocol'
import { after } from './after.ts'
import type { Log } from './log.ts'
import type { Announcement, Awaitable, Broker } from './ports/broker.ts'
import type { PresenceStore } from './ports/presence-store.ts'
import { RenewingMap } from './renewing-map.ts'
import type { RuleBook } from './rule-book.ts'
import type { Session } from './session.ts'
import type { PresenceState, Subscription } from './subscription.ts'

export interface AttendancePorts {
  readonly presence: PresenceStore
  readonly broker: Broker
  readonly rules: RuleBook
  readonly log: Log
  /** Settles when other nodes can know of the session what it is now; never rejects. */
  readonly record: (session: Session) => Awaitable<void>
}

/** Whether those who watch have heard that the session is there, as far as it is. */
type Heard = 'yes' | 'no' | 'unsure'

const HEARD: Readonly<Record<PresenceState['kind'], Heard>> = {
  absent: 'no',
  noted: 'no',
  unsure: 'unsure',
  taken: 'yes',
  present: 'yes',
}

/**
 * Keeps the presence store in step with the subscriptions, and has everyone who watches told what changes there. Whether somebody has
 * come or gone the store decides, so that of all nodes one tells of it. What is told of one session in one channel keeps its order.
 *
 * Nobody is seen whom the session's record does not name: a session may move, or its node die, at any moment, and whoever has it then is
 * to end its presence.
 */
export class Attendance {
  readonly #ports: AttendancePorts
  /** What is told last, by session and channel. */
  readonly #underWay = new RenewingMap<string, Promise<Heard>>()
  #isRefused = false

  constructor(ports: AttendancePorts) {
    this.#ports = ports
  }

  /** The subscription is to be seen, where the channel's rule keeps presence, once it has joined. */
  note(subscription: Subscription): void {
    const { channel, session, presence } = subscription
    if (presence.kind !== 'absent' || !this.#ports.rules.of(channel.name).presence) return
    const member = session.member(subscription.info)
    subscription.presence = { kind: 'noted', member, recorded: this.#ports.record(session) }
  }

  /** Makes what was noted seen. Fails when the store does; it may be tried again then. */
  join(subscription: Subscription): Awaitable<void> {
    const { presence } = subscription
    const recorded = presence.kind === 'noted' ? presence.recorded : undefined
    return after(recorded, () => this.#join(subscription))
  }

  #join(subscription: Subscription): Awaitable<void> {
    // It may have left meanwhile, or another connection of its session may have been first.
    const { channel, presence } = subscription
    if (!isOpen(presence)) return
    const { member } = presence
    const isNew = this.#add(subscription, member)
    this.#tell({ type: 'join', channel: channel.name, member }, isNew, presence)
    return after(isNew, () => undefined)
  }

  /** Idempotent. Nobody hears that somebody leaves of whom they have not heard; the store is told where it was asked. */
  leave(subscription: Subscription): void {
    const { channel, session, presence } = subscription
    if (presence.kind === 'absent') return
    subscription.presence = { kind: 'absent' }
    if (presence.kind === 'noted') return
    const { member } = presence
    const wasThere = this.#remove(channel.name, session.id)
    this.#tell({ type: 'leave', channel: channel.name, member }, wasThere, presence)
  }

  /** The same for one whose subscription is on no node any more. Rejects when the store does. */
  async part(channel: string, member: Member): Promise<void> {
    const wasThere = attempt(() => this.#ports.presence.remove(channel, member.session))
    this.#tell({ type: 'leave', channel, member }, wasThere, { kind: 'taken', member })
    await wasThere
  }

  /**
   * The store is to keep these for longer, or to take them back. Those whose session was taken over, and whose client has not subscribed
   * again, are this node's to keep from now on. Never rejects: there is a next time.
   */
  async refresh(sessions: readonly Session[]): Promise<void> {
    const members = new Map<string, Member[]>()
    const taken: Subscription[] = []
    for (const { subscriptions } of sessions) {
      for (const subscription of subscriptions.values()) {
        const { channel, presence } = subscription
        if (presence.kind === 'taken') taken.push(subscription)
        if (presence.kind !== 'present') continue
        const known = members.get(channel.name)
        if (known) known.push(presence.member)
        else members.set(channel.name, [presence.member])
      }
    }
    try {
      await Promise.all([
        ...[...members].map(([channel, all]) => this.#ports.presence.refresh(channel, all)),
        ...taken.map((subscription) => this.join(subscription)),
      ])
      this.#isRefused = false
    } catch (error) {
      if (!this.#isRefused) this.#ports.log('presence_refresh_failed', { error })
      this.#isRefused = true
    }
  }

  /**
   * Announces it if the store says that it is so, after what was asked before of the same session. What the store has refused it may have
   * done all the same, without anybody having been told: the next one makes up for that. Nobody waits for it.
   */
  #tell(message: Announcement, isSo: Awaitable<boolean>, { kind }: PresenceState): void {
    const key = `${message.member.session} ${message.channel}`
    // Where the store answers at once nothing ever is: the key is not looked for then, since V8 keeps every text that a map is asked for.
    const before = this.#underWay.size === 0 ? undefined : this.#underWay.get(key)
    if (!before && !(isSo instanceof Promise)) {
      this.#settle(message, isSo, HEARD[kind])
      return
    }
    const answered = Promise.resolve(isSo).catch(() => undefined)
    const told = Promise.all([answered, before ?? HEARD[kind]]).then(([answer, heard]) => {
      if (this.#underWay.get(key) === told) this.#underWay.delete(key)
      return this.#settle(message, answer, heard)
    })
    this.#underWay.set(key, told)
  }

  /** `answer` is the store's, undefined where it has refused; `heard` what has been told before. Returns what has been told now. */
  #settle(message: Announcement, answer: boolean | undefined, heard: Heard): Heard {
    if (message.type === 'leave') {
      if (answer && heard !== 'unsure') this.#announce(message)
      return 'no'
    }
    if (answer === undefined) return heard === 'no' ? 'unsure' : heard
    if (answer || heard === 'unsure') this.#announce(message)
    return 'yes'
  }

  /** Never rejects: whoever must know reads the store. */
  #announce(message: Announcement): void {
    const failed = (error: unknown): void => this.#ports.log('announcement_failed', { channel: message.channel, error })
    const announced = attempt(() => this.#ports.broker.announce(message))
    if (announced instanceof Promise) announced.catch(failed)
  }

  /** Whether the session was not there. Rejects when the store does. */
  #add(subscription: Subscription, member: Member): Awaitable<boolean> {
    if (subscription.presence.kind === 'noted') subscription.presence = { kind: 'unsure', member }
    const answer = attempt(() => this.#ports.presence.add(subscription.channel.name, member))
    return after(answer, (isNew) => {
      if (isOpen(subscription.presence)) subscription.presence = { kind: 'present', member }
      return isNew
    })
  }

  /** False where the store refuses: that is logged, and never rejects. */
  #remove(channel: string, session: string): Awaitable<boolean> {
    const refused = (error: unknown): boolean => {
      this.#ports.log('presence_remove_failed', { channel, session, error })
      return false
    }
    const wasThere = attempt(() => this.#ports.presence.remove(channel, session))
    return wasThere instanceof Promise ? wasThere.catch(refused) : wasThere
  }
}

/** Whether the store is still to be told. */
const isOpen = (presence: PresenceState): presence is PresenceState & { readonly kind: 'noted' | 'unsure' | 'taken' } =>
  presence.kind !== 'absent' && presence.kind !== 'present'

/** A call that refuses at once is one that rejects. */
const attempt = <T>(call: () => Awaitable<T>): Awaitable<T> => {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error)
  }
}
