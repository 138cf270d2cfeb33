import { Channel } from './channel.ts'
import type { ChannelContext } from './channel-log.ts'

/** The channels that this node has something to do with, and some that nobody is interested in, of which something is remembered. */
export class Channels {
  readonly #maxIdle: number
  #byName = new Map<string, Channel>()
  /** Those that nobody is interested in are not more: those that were when last counted, and whatever has come since. */
  #idle = 0
  #uses = 0

  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle
  }

  /** To be used; made where there is none. */
  of(name: string, context: ChannelContext): Channel {
    let channel = this.#byName.get(name)
    if (!channel) {
      if (this.#idle >= this.#maxIdle) this.#forgetIdle()
      this.#idle++
      channel = new Channel(name, context)
      this.#byName.set(name, channel)
    }
    channel.lastUse = ++this.#uses
    return channel
  }

  get(name: string): Channel | undefined {
    return this.#byName.get(name)
  }

  /** As they are now: they may be added to and forgotten meanwhile. */
  all(): readonly Channel[] {
    return [...this.#byName.values()]
  }

  /** Counts anew, because channels become idle by themselves; forgets half of those that are when there are too many. */
  trim(): void {
    this.#idle = this.#unused().length
    if (this.#idle > this.#maxIdle) this.#forgetIdle()
  }

  clear(): void {
    this.#byName = new Map()
  }

  #unused(): readonly Channel[] {
    return this.all().filter(({ isIdle }) => isIdle)
  }

  /** Half of those that nobody is interested in, so that the next ones need not look for any: those whose last use is longest ago. */
  #forgetIdle(): void {
    const uses = this.#unused().map(({ lastUse }) => lastUse)
    const half = Math.ceil(uses.length / 2)
    const since = Float64Array.from(uses).sort()[half] ?? Number.POSITIVE_INFINITY
    // In one Map, where entries come and go for good, V8 would keep alive what has been in it.
    this.#byName = new Map([...this.#byName].filter(([, { isIdle, lastUse }]) => !isIdle || lastUse >= since))
    this.#idle = uses.length - half
  }
}
