import type { PublicationMessage } from '@fusewire/protocol'
import type { Connection, Frame, FrameFormat, Slot } from './ports/connection.ts'
import type { Subscription } from './subscription.ts'

/** A subscription's place in a {@link DeliveryGroup}. */
export interface Place {
  /** In the group; another one's when that one has left. */
  index: number
  readonly isFiltered: boolean
  /** The offset that it went live with: what was read for it may be ahead of what this node has heard. */
  readonly after: number
}

/**
 * A channel's live subscriptions whose connections have one frame format. A delivery goes through the connections alone wherever it
 * can, or through their numbers: subscriptions lie scattered in memory, and with many channels to look at each costs as much as
 * everything else here.
 */
export class DeliveryGroup {
  readonly format: FrameFormat
  readonly #subscriptions: Subscription[] = []
  /** In the same places; empty where the format has a multicast. */
  readonly #connections: Connection[] = []
  /** In the same places; empty where the format has none. */
  readonly #numbers: number[] = []
  #filtered = 0

  constructor(format: FrameFormat) {
    this.format = format
  }

  get size(): number {
    return this.#subscriptions.length
  }

  get subscriptions(): readonly Subscription[] {
    return this.#subscriptions
  }

  add(subscription: Subscription, connection: Connection, after: number): void {
    const isFiltered = subscription.filter !== undefined
    if (isFiltered) this.#filtered++
    const index = this.#subscriptions.push(subscription) - 1
    if (!this.format.multicast) this.#connections.push(connection)
    else if (connection.number !== undefined) this.#numbers.push(connection.number)
    else throw new TypeError(`a connection of the format ${this.format.name} has no number`)
    subscription.state = { kind: 'live', connection, index, isFiltered, after }
  }

  /** The last one fills the gap, so that leaving is O(1) and the group stays dense. */
  remove({ index, isFiltered }: Place): void {
    if (isFiltered) this.#filtered--
    removeAt(this.#connections, index)
    removeAt(this.#numbers, index)
    removeAt(this.#subscriptions, index)
    const moved = this.#subscriptions[index]
    if (moved?.state.kind === 'live') moved.state.index = index
  }

  /** `mayBeKnown`: some of them may have had it already. Returns how many connections it was handed to. */
  deliver(message: PublicationMessage, mayBeKnown: boolean, slot: Slot | undefined): number {
    if (this.#filtered > 0 || mayBeKnown) return this.#deliverToSome(message, slot)
    const frame = this.format.encode(message)
    const { multicast } = this.format
    if (multicast) multicast.send(this.#numbers, frame, slot)
    else for (const connection of this.#connections) connection.send(frame, slot)
    return this.size
  }

  #deliverToSome(message: PublicationMessage, slot: Slot | undefined): number {
    let frame: Frame | undefined
    let delivered = 0
    for (const subscription of this.#subscriptions) {
      const { state } = subscription
      if (state.kind !== 'live' || message.offset <= state.after || !subscription.wants(message)) continue
      frame ??= this.format.encode(message)
      state.connection.send(frame, slot)
      delivered++
    }
    return delivered
  }
}

/** The last one fills the gap. */
const removeAt = <T>(items: T[], index: number): void => {
  const last = items.pop()
  if (last !== undefined && index < items.length) items[index] = last
}
