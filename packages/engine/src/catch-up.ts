import type { Position, Publication } from '@fusewire/protocol'
import { isConflated } from './conflation.ts'
import type { HubChannel } from './hub-channel.ts'
import type { Log } from './log.ts'
import type { Awaitable, Broker } from './ports/broker.ts'
import { type Reading, readChannel, recoveryOf } from './recovery.ts'
import type { RuleBook } from './rule-book.ts'
import { SharedMessage } from './shared-message.ts'
import type { Counters } from './stats.ts'
import { subscribedMessage } from './subscribed-message.ts'
import type { Subscription } from './subscription.ts'
import type { TimerWheel } from './timer-wheel.ts'

export interface CatchUpPorts {
  readonly broker: Broker
  readonly rules: RuleBook
  readonly counters: Counters
  readonly wheel: TimerWheel
  readonly now: () => number
  readonly log: Log
}

/** How long after a broker could not be read it is tried again. */
const RETRY_MS = 1000

/** Those of a channel that have got to the same place: usually all of them. */
interface Group {
  readonly since: Position
  readonly subscriptions: readonly Subscription[]
}

/**
 * Brings the subscriptions of one channel back to the stream after an interruption: what was missed is read once, everyone is told of
 * it by another `subscribed`, what was published meanwhile follows, and then they are live again. An interruption that comes while
 * this is under way, and a broker that cannot be read, make it begin anew: nobody goes on until nothing can be missing.
 */
export class CatchUp {
  readonly #channel: HubChannel
  readonly #ports: CatchUpPorts
  #isRunning = false

  constructor(channel: HubChannel, ports: CatchUpPorts) {
    this.#channel = channel
    this.#ports = ports
  }

  /** Nobody waits for this, and it never rejects. */
  async run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    // The broker may have called from within one of its own methods.
    await undefined
    while (this.#channel.catching.size > 0) await this.#attempt()
    this.#channel.heldForCatching.restart()
    this.#isRunning = false
  }

  async #attempt(): Promise<void> {
    const { name, catching, heldForCatching } = this.#channel
    heldForCatching.restart()
    const groups = groupsOf(catching)
    try {
      const readings = await Promise.all(groups.map((group) => this.#read(group)))
      for (const [index, group] of groups.entries()) {
        const reading = readings[index]
        const held = reading && heldForCatching.after(reading.position)
        if (held) this.#tell(group, reading, held)
      }
    } catch (error) {
      this.#ports.log('catch_up_failed', { channel: name, error })
      await this.#wait()
    }
  }

  #read({ since, subscriptions }: Group): Awaitable<Reading> {
    const { broker, rules } = this.#ports
    const { name } = this.#channel
    const isFiltered = subscriptions.some(({ filter }) => filter !== undefined)
    return readChannel(broker, name, rules.of(name), { since, isFiltered })
  }

  /**
   * Those who have gone, or have asked for something else meanwhile, are left alone. Nobody has begun to catch up from another place: what
   * was held would not be whole then.
   */
  #tell({ since, subscriptions }: Group, reading: Reading, held: readonly Publication[]): void {
    const channel = this.#channel
    const { counters, log, rules } = this.#ports
    const conflated = isConflated(rules.of(channel.name))
    const position = { ...reading.position, offset: held.at(-1)?.offset ?? reading.position.offset }
    const recovery = recoveryOf(reading, since, () => true)
    const plain = new SharedMessage(subscribedMessage(channel.name, recovery, { conflated }))
    const following = held.map((publication) => ({
      publication,
      message: new SharedMessage({ type: 'publication', channel: channel.name, ...publication }),
    }))
    for (const subscription of subscriptions) {
      const { state, session, filter, expiresAt } = subscription
      if (state.kind !== 'catching') continue
      const { connection } = state
      const wants = (publication: Publication): boolean => subscription.wants(publication)
      const own = filter ? recoveryOf(reading, since, wants) : recovery
      const isPlain = own === recovery && expiresAt === undefined
      const subscribed = isPlain ? plain : new SharedMessage(subscribedMessage(channel.name, own, { conflated, expiresAt }))
      try {
        connection.send(subscribed.frame(connection.format))
        for (const { publication, message } of following)
          if (wants(publication)) connection.send(message.frame(connection.format))
      } catch (error) {
        // What it misses cannot be written: it finds out what it can have by coming back.
        log('catch_up_failed', { channel: channel.name, error })
        session.link?.end('internal_error')
        continue
      }
      counters.recoveries[own.recovered ? 'complete' : 'incomplete']++
      channel.goLive(subscription, connection, position)
    }
  }

  #wait(): Promise<void> {
    const { wheel, now } = this.#ports
    return new Promise((resolve) => {
      const due = (): undefined => resolve() as undefined
      wheel.schedule({ due }, now() + RETRY_MS)
    })
  }
}

const groupsOf = (subscriptions: Iterable<Subscription>): readonly Group[] => {
  const groups = new Map<string, { readonly since: Position; readonly subscriptions: Subscription[] }>()
  for (const subscription of subscriptions) {
    const { state } = subscription
    if (state.kind !== 'catching') continue
    const key = `${state.since.epoch} ${state.since.offset}`
    const group = groups.get(key)
    if (group) group.subscriptions.push(subscription)
    else groups.set(key, { since: state.since, subscriptions: [subscription] })
  }
  return [...groups.values()]
}
