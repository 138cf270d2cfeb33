import type { Join, Leave, Publication, PublicationMessage } from '@fusewire/protocol'
import type { Connection, Frame, FrameFormat, Slot } from './ports/connection.ts'
import type { Subscription } from './subscription.ts'

/** Publications that are held for a subscription while its history is read, at most; see {@link isOverrun}. */
const MAX_HELD_PUBLICATIONS = 10_000

/** Whether more was published than could be held: something is missing, and the subscription cannot go live. */
export const isOverrun = (held: readonly Publication[]): boolean => held.length > MAX_HELD_PUBLICATIONS

/** A live subscription in its place, with what a delivery looks at: most of them never touch the subscription itself. */
interface Place {
  readonly subscription: Subscription
  readonly connection: Connection
  readonly isFiltered: boolean
}

/**
 * One channel's subscribers on this node, grouped by frame format, so that a publication is encoded and framed once for each group
 * and the rest is one `send` a connection.
 */
export class HubChannel {
  readonly name: string
  readonly #subscriptions = new Set<Subscription>()
  readonly #recovering = new Set<Subscription>()
  readonly #groups = new Map<FrameFormat, Place[]>()

  constructor(name: string) {
    this.name = name
  }

  get size(): number {
    return this.#subscriptions.size
  }

  subscriptions(): readonly Subscription[] {
    return [...this.#subscriptions]
  }

  add(subscription: Subscription): void {
    this.#subscriptions.add(subscription)
  }

  /** False when it was not here. */
  remove(subscription: Subscription): boolean {
    this.pause(subscription)
    return this.#subscriptions.delete(subscription)
  }

  /** From now on publications are held for it. */
  recover(subscription: Subscription): Publication[] {
    this.pause(subscription)
    const held: Publication[] = []
    subscription.state = { kind: 'recovering', held }
    this.#recovering.add(subscription)
    return held
  }

  /** From now on publications go to the connection. */
  goLive(subscription: Subscription, connection: Connection): void {
    this.pause(subscription)
    const group = this.#groups.get(connection.format) ?? []
    if (group.length === 0) this.#groups.set(connection.format, group)
    const index = group.push({ subscription, connection, isFiltered: subscription.filter !== undefined }) - 1
    subscription.state = { kind: 'live', connection, index }
  }

  pause(subscription: Subscription): void {
    const { state } = subscription
    if (state.kind === 'recovering') this.#recovering.delete(subscription)
    if (state.kind === 'live') this.#leaveGroup(state.connection.format, state.index)
    subscription.state = { kind: 'paused' }
  }

  /** Returns how many connections it was handed to; see {@link Connection.send} for the slot. */
  deliver(publication: Publication, slot?: Slot): number {
    for (const { state } of this.#recovering)
      if (state.kind === 'recovering' && !isOverrun(state.held)) state.held.push(publication)
    if (this.#groups.size === 0) return 0
    const message: PublicationMessage = { type: 'publication', channel: this.name, ...publication }
    let delivered = 0
    for (const [format, places] of this.#groups) {
      let frame: Frame | undefined
      for (const { subscription, connection, isFiltered } of places) {
        if (isFiltered && !subscription.wants(publication)) continue
        frame ??= format.encode(message)
        connection.send(frame, slot)
        delivered++
      }
    }
    return delivered
  }

  /** Tells those who asked for presence. Returns how many connections it was handed to. */
  announce(message: Join | Leave): number {
    let delivered = 0
    for (const [format, places] of this.#groups) {
      let frame: Frame | undefined
      for (const { subscription, connection } of places) {
        if (!subscription.wantsPresence) continue
        frame ??= format.encode(message)
        connection.send(frame)
        delivered++
      }
    }
    return delivered
  }

  /** The last place of the group fills the gap, so that leaving is O(1) and the group stays dense. */
  #leaveGroup(format: FrameFormat, index: number): void {
    const group = this.#groups.get(format)
    const last = group?.pop()
    if (!group || !last) return
    if (index < group.length) {
      group[index] = last
      if (last.subscription.state.kind === 'live') last.subscription.state.index = index
    }
    if (group.length === 0) this.#groups.delete(format)
  }
}
