import { FusewireError, type Position, type Publication } from '@fusewire/protocol'
import { after } from './after.ts'
import type { Attendance } from './attendance.ts'
import { isConflated } from './conflation.ts'
import type { HeldPublications } from './held-publications.ts'
import type { Hub } from './hub.ts'
import type { Awaitable, Broker } from './ports/broker.ts'
import { type Reading, readChannel, recoveryOf, type Since } from './recovery.ts'
import type { RuleBook } from './rule-book.ts'
import type { Session, SessionLink } from './session.ts'
import type { Counters } from './stats.ts'
import { subscribedMessage } from './subscribed-message.ts'
import { passes, type Subscription, type Wishes } from './subscription.ts'

export interface RecovererPorts {
  readonly hub: Hub
  readonly broker: Broker
  readonly attendance: Attendance
  readonly rules: RuleBook
  readonly counters: Counters
  /** Called when another node has to know of a subscription that has succeeded. */
  readonly onChanged: (session: Session) => void
  /** Called with one that has failed before it has ever succeeded. */
  readonly onFailed: (subscription: Subscription) => void
}

/** What a subscribe asks for that has been allowed. */
export interface Asked {
  /** Of the request, where it has one. */
  readonly id: number | undefined
  readonly since: Since
  readonly wishes: Wishes
}

/** What a subscription that has been read begins with. */
interface Beginning {
  readonly reading: Reading
  /** What was published while it was read. */
  readonly following: readonly Publication[]
}

/**
 * Brings a subscription from `recovering` to `live`: what is published while its history is read is held, everything after `since` is told
 * with `subscribed`, and what was held follows, so that nothing is missed. Where that fails, what it was before goes on, as if nothing had
 * been asked.
 */
export class Recoverer {
  readonly #ports: RecovererPorts

  constructor(ports: RecovererPorts) {
    this.#ports = ports
  }

  /**
   * Comes to nothing, and leaves the wishes what they were, when the connection of the request is gone or a newer one decides; without a
   * connection the subscription is paused at the end.
   */
  async run(subscription: Subscription, asked: Asked): Promise<void> {
    const { session, channel } = subscription
    const { link } = session
    if (!subscription.isEstablished) Object.assign(subscription, asked.wishes)
    const held = channel.recover(subscription)
    const before = subscription.state.kind === 'recovering' ? subscription.state.before?.position : undefined
    const isRecovering = (): boolean => subscription.state.kind === 'recovering' && subscription.state.held === held
    try {
      await this.#ports.hub.ready(subscription)
      let following: readonly Publication[] | undefined
      while (!following) {
        const reading = await this.#read(subscription, asked)
        if (!isRecovering()) {
          // A newer subscribe decides, or the connection is gone; or else the application has ended what was about to begin.
          if (!link || session.link !== link || subscription.isEntered) return
          throw new FusewireError('not_subscribed', 'unsubscribed by the application before it was subscribed')
        }
        if (held.isOverrun) throw new FusewireError('overloaded', `${channel.name} publishes more than can wait for its history`)
        following = held.after(reading.position)
        if (!following) held.restart()
        else if (link) this.#begin(subscription, link, asked, { reading, following })
        else channel.pause(subscription)
      }
      subscription.isEstablished = true
      if (subscription.isEntered) this.#ports.onChanged(session)
    } catch (error) {
      if (isRecovering()) this.#stepBack(subscription, link, held, before)
      throw error
    }
  }

  /** Each of these may come late, or find that the subscription has ended. */
  #read(subscription: Subscription, { since, wishes }: Asked): Awaitable<Reading> {
    const { broker, attendance, rules } = this.#ports
    const { name } = subscription.channel
    const wanted = { since, isFiltered: wishes.filter !== undefined }
    return after(readChannel(broker, name, rules.of(name), wanted), (reading) =>
      subscription.isEntered ? after(attendance.join(subscription), () => reading) : reading,
    )
  }

  /** Says `subscribed`, and what was missed in it; what was published meanwhile follows. */
  #begin(subscription: Subscription, link: SessionLink, { id, since, wishes }: Asked, { reading, following }: Beginning): void {
    const { counters, rules } = this.#ports
    const { channel, expiresAt } = subscription
    const recovery = recoveryOf(reading, since, (publication) => passes(publication, wishes))
    if (typeof since === 'object') counters.recoveries[recovery.recovered ? 'complete' : 'incomplete']++
    const conflated = isConflated(rules.of(channel.name))
    link.send(subscribedMessage(channel.name, recovery, { id, conflated, expiresAt }))
    Object.assign(subscription, wishes)
    goLive(subscription, link, reading.position, following)
  }

  /** Nothing may be missing from where it was when it was live. */
  #stepBack(
    subscription: Subscription,
    link: SessionLink | undefined,
    held: HeldPublications,
    before: Position | undefined,
  ): void {
    const { channel, isEstablished } = subscription
    if (!isEstablished) {
      this.#ports.onFailed(subscription)
      return
    }
    if (!link || !before) {
      channel.pause(subscription)
      return
    }
    const following = held.isWhole ? held.after(before) : undefined
    if (following) goLive(subscription, link, before, following)
    else this.#ports.hub.catchUp(subscription, link.connection, before)
  }
}

/** What was published after the position follows, then everything that will be. */
const goLive = (subscription: Subscription, link: SessionLink, position: Position, following: readonly Publication[]): void => {
  const { channel } = subscription
  for (const publication of following)
    if (subscription.wants(publication)) link.send({ type: 'publication', channel: channel.name, ...publication })
  channel.goLive(subscription, link.connection, { ...position, offset: following.at(-1)?.offset ?? position.offset })
}
