import type { BrokerListener } from '@fusewire/engine'
import { ChannelInterest } from './channel-interest.ts'
import { channelKeys } from './channel-keys.ts'
import { readChannelMessage } from './channel-message.ts'
import type { RedisConnection } from './redis-connection.ts'

const TICK_MS = 250
/** How often Redis is told that a channel is still of interest, which it forgets after an hour, and is asked for its epoch. */
const TOUCH_MS = 60_000
/** Touches at most in a tick: thousands of channels that are due at once do not hold up what clients ask. */
const TOUCHES = 2_000

interface Entry {
  readonly interest: ChannelInterest
  readonly ready: Promise<void>
  /** When Redis is to be asked again, by `performance.now()`. */
  touchAt: number
  /** It may have missed something, and Redis has not said yet whether. */
  isLost: boolean
}

/**
 * The channels that this node listens to. Their positions are looked up when they are subscribed, and when they have been subscribed
 * again; now and then, so that Redis does not forget them and nobody misses that it has lost everything; and when a document ends.
 */
export class ChannelInterests {
  readonly #connection: RedisConnection
  readonly #prefix: string
  readonly #listener: BrokerListener
  readonly #entries = new Map<string, Entry>()
  readonly #timer: NodeJS.Timeout

  constructor(connection: RedisConnection, prefix: string, listener: BrokerListener) {
    this.#connection = connection
    this.#prefix = prefix
    this.#listener = listener
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  get(channel: string): ChannelInterest | undefined {
    return this.#entries.get(channel)?.interest
  }

  /** Settles once everything is heard. When it rejects, the channel is not of interest any more. */
  add(channel: string): Promise<void> {
    const known = this.#entries.get(channel)
    if (known) return known.ready
    const interest = new ChannelInterest(channel, channelKeys(this.#prefix, channel), this.#listener)
    const ready = this.#listen(interest).catch((error: unknown) => {
      if (this.get(channel) === interest) this.delete(channel)
      throw error
    })
    const touchAt = performance.now() + TOUCH_MS * (0.5 + Math.random() / 2)
    this.#entries.set(channel, { interest, ready, touchAt, isLost: false })
    return ready
  }

  delete(channel: string): void {
    const interest = this.get(channel)
    if (!interest) return
    this.#entries.delete(channel)
    interest.close()
    this.#connection.unsubscribe(interest.keys.topic)
  }

  close(): void {
    clearInterval(this.#timer)
    for (const channel of [...this.#entries.keys()]) this.delete(channel)
  }

  async #listen(interest: ChannelInterest): Promise<void> {
    const { keys } = interest
    await this.#connection.subscribe(keys.topic, {
      message: (payload) => this.#heard(interest, payload),
      lapsed: () => this.#find(interest),
    })
    const [epoch, offset, documentTtlMs] = await this.#touch(interest)
    interest.found(epoch, offset, documentTtlMs)
  }

  #heard(interest: ChannelInterest, payload: Buffer): void {
    const message = readChannelMessage(payload)
    if (message?.kind === 'announcement') this.#listener.announcement(message.announcement)
    else if (message) interest.hear(message)
  }

  async #touch({ keys }: ChannelInterest): Promise<readonly [string, number, number]> {
    const reply = await this.#connection.call('touch', keys.kept, [keys.topic])
    return reply as readonly [string, number, number]
  }

  /** Something may have been missed; whether it was, the channel's position says. */
  #find(interest: ChannelInterest): void {
    const { channel } = interest
    this.#touch(interest).then(
      ([epoch, offset, documentTtlMs]) => {
        if (this.get(channel) !== interest) return
        if (!interest.found(epoch, offset, documentTtlMs)) this.#listener.interrupted(channel)
      },
      () => {
        const known = this.#entries.get(channel)
        if (known?.interest === interest) known.isLost = true
      },
    )
  }

  #tick(): void {
    if (this.#connection.problem()) return
    const now = performance.now()
    let left = TOUCHES
    for (const known of this.#entries.values()) {
      const { interest } = known
      const isOver = interest.documentEndsAt > 0 && interest.documentEndsAt <= now
      if (!isOver && !known.isLost && known.touchAt > now) continue
      if (left-- === 0) return
      known.touchAt = now + TOUCH_MS
      if (known.isLost) {
        known.isLost = false
        this.#find(interest)
      } else {
        interest.documentEndsAt = 0
        this.#look(interest)
      }
    }
  }

  #look(interest: ChannelInterest): void {
    this.#touch(interest).then(
      ([epoch, offset, documentTtlMs]) => {
        interest.learned(epoch, offset)
        if (documentTtlMs >= 0) interest.documentEndsAt = performance.now() + documentTtlMs
      },
      // It is asked again in a minute; a connection that was lost is told of apart.
      () => undefined,
    )
  }
}
