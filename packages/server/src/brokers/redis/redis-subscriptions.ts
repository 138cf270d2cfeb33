import type { FusewireError } from '@fusewire/protocol'
import { refusalOf, unavailable } from './redis-error.ts'
import type { ChannelKind, RedisLink } from './redis-link.ts'

/** Channels in one command: one of many thousands would hold up everything behind it. */
const BATCH = 500

const RETRY_MS = 100

/** Who listens to a channel. None of them may throw. */
export interface ChannelListener {
  /** In the order in which it was published, as long as {@link ChannelListener.lapsed} does not come in between. */
  message(payload: Buffer): void
  /** It has been subscribed anew: from now on everything is heard again, but something before may have been missed. */
  lapsed(): void
  /** Redis does not let it be subscribed again, and it is given up. Told of keys alone: other channels are tried until they are subscribed. */
  refused?(): void
}

/** What subscriptions need of a {@link RedisLink}. */
type ChannelLink = Pick<RedisLink, 'name' | 'isUp' | 'subscribe' | 'unsubscribe'>

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Entry {
  readonly channel: string
  readonly kind: ChannelKind
  readonly slot: number
  listener: ChannelListener
  /** False once nobody wants it; it is forgotten when the server has let go of it, too. */
  isWanted: boolean
  /** Where a command about it is under way, or where it is subscribed. */
  link: ChannelLink | undefined
  state: 'off' | 'changing' | 'on'
  /** It was on before, so that something may have been missed. */
  hasLapsed: boolean
  waiters: Waiter[]
}

/** One command: channels of one kind and one slot. */
interface Change {
  readonly link: ChannelLink
  readonly kind: ChannelKind
  readonly isOn: boolean
  readonly entries: Entry[]
}

/** What subscriptions need of the connection that they are a part of. */
export interface SubscriptionRoutes {
  /** The link that has the slot, up or not. */
  linkOf(slot: number): ChannelLink | undefined
  /** Channels of one slot may be in one command. */
  slotOf(channel: string): number
  problem(): FusewireError | undefined
  /** A slot is not where it was thought to be. */
  misrouted(): void
}

/**
 * Which channels are wanted, and on which links they are subscribed. What is wanted is brought about in batches; commands about
 * one channel follow one another, so that their answers cannot be mistaken.
 */
export class RedisSubscriptions {
  readonly #routes: SubscriptionRoutes
  readonly #entries = new Map<string, Entry>()
  #dirty = new Set<Entry>()
  #timer: NodeJS.Immediate | undefined
  #retry: NodeJS.Timeout | undefined

  constructor(routes: SubscriptionRoutes) {
    this.#routes = routes
  }

  /** Settles once everything that is published from now on is heard. One who wants the same channel again takes the listener's place. */
  subscribe(channel: string, listener: ChannelListener, kind: ChannelKind = 'sharded'): Promise<void> {
    const known = this.#entries.get(channel)
    const problem = this.#routes.problem()
    if (known?.state === 'on' && known.isWanted) {
      known.listener = listener
      return Promise.resolve()
    }
    if (problem && !this.#routes.linkOf(this.#routes.slotOf(channel))?.isUp) return Promise.reject(problem)
    const entry = known ?? this.#add(channel, listener, kind)
    entry.listener = listener
    entry.isWanted = true
    this.#mark(entry)
    return new Promise((resolve, reject) => entry.waiters.push({ resolve, reject }))
  }

  /** Nothing is heard any more from now on. */
  unsubscribe(channel: string): void {
    const entry = this.#entries.get(channel)
    if (!entry?.isWanted) return
    entry.isWanted = false
    settle(entry, unavailable('unsubscribed before the subscription was made'))
    this.#mark(entry)
  }

  message(channel: string, payload: Buffer): void {
    const entry = this.#entries.get(channel)
    if (entry?.isWanted) entry.listener.message(payload)
  }

  /** The server has let go of the channel. */
  moved(channel: string): void {
    const entry = this.#entries.get(channel)
    if (!entry || entry.state === 'off') return
    this.#lose(entry)
    this.#routes.misrouted()
  }

  /** The link has lost its subscriptions, and its channels are subscribed again as soon as one is up that has their slot. */
  down(link: ChannelLink, problem: FusewireError): void {
    for (const entry of this.#entries.values()) if (entry.link === link) this.#lose(entry, problem)
  }

  /** Slots may be on other links now, or a link has come up. */
  rerouted(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state === 'on' && entry.link !== this.#routes.linkOf(entry.slot)) {
        entry.link?.unsubscribe([entry.channel], entry.kind).catch(() => undefined)
        this.#lose(entry)
      }
      if (entry.state === 'off') this.#mark(entry)
    }
  }

  close(problem: FusewireError): void {
    clearImmediate(this.#timer)
    clearTimeout(this.#retry)
    for (const entry of this.#entries.values()) settle(entry, problem)
    this.#entries.clear()
    this.#dirty.clear()
  }

  #add(channel: string, listener: ChannelListener, kind: ChannelKind): Entry {
    const entry: Entry = {
      channel,
      kind,
      slot: this.#routes.slotOf(channel),
      listener,
      isWanted: true,
      link: undefined,
      state: 'off',
      hasLapsed: false,
      waiters: [],
    }
    this.#entries.set(channel, entry)
    return entry
  }

  #mark(entry: Entry): void {
    this.#dirty.add(entry)
    this.#timer ??= setImmediate(() => this.#flush())
  }

  #lose(entry: Entry, problem?: FusewireError): void {
    entry.hasLapsed ||= entry.state === 'on'
    entry.state = 'off'
    entry.link = undefined
    if (problem && entry.waiters.length > 0) {
      settle(entry, problem)
      // Nobody has been told that it is subscribed, so nobody counts on it.
      if (!entry.hasLapsed) entry.isWanted = false
    }
    if (entry.isWanted) this.#mark(entry)
    else this.#forget(entry)
  }

  #forget(entry: Entry): void {
    this.#dirty.delete(entry)
    if (this.#entries.get(entry.channel) === entry) this.#entries.delete(entry.channel)
  }

  #flush(): void {
    this.#timer = undefined
    const dirty = this.#dirty
    this.#dirty = new Set()
    const groups = new Map<string, Change>()
    for (const entry of dirty) {
      // Whoever is changing looks again when it is done.
      if (entry.state === 'changing' || entry.isWanted === (entry.state === 'on')) {
        if (entry.state === 'off') this.#forget(entry)
        else if (entry.state === 'on') settle(entry)
        continue
      }
      const link = entry.isWanted ? this.#routes.linkOf(entry.slot) : entry.link
      if (!link?.isUp) {
        this.#postpone(entry)
        continue
      }
      const key = `${link.name} ${entry.isWanted} ${entry.kind} ${entry.slot}`
      const group = groups.get(key)
      entry.state = 'changing'
      entry.link = link
      if (group) group.entries.push(entry)
      else groups.set(key, { link, kind: entry.kind, isOn: entry.isWanted, entries: [entry] })
    }
    for (const { entries, ...change } of groups.values())
      for (let first = 0; first < entries.length; first += BATCH)
        this.#send({ ...change, entries: entries.slice(first, first + BATCH) })
  }

  /** It is marked again when its link comes up; whoever wants it for the first time does not wait for that. */
  #postpone(entry: Entry): void {
    if (entry.hasLapsed || entry.waiters.length === 0) return
    settle(entry, this.#routes.problem() ?? unavailable('the connection to Redis has ended'))
    entry.isWanted = false
    this.#forget(entry)
  }

  #send({ link, kind, isOn, entries }: Change): void {
    const channels = entries.map(({ channel }) => channel)
    ;(isOn ? link.subscribe(channels, kind) : link.unsubscribe(channels, kind)).then(
      () => {
        for (const entry of entries) this.#changed(entry, link, isOn)
      },
      (error: unknown) => {
        for (const entry of entries) this.#failed(entry, link, error)
      },
    )
  }

  #changed(entry: Entry, link: ChannelLink, isOn: boolean): void {
    // The link has gone down since, or the slot has gone elsewhere.
    if (entry.link !== link || entry.state !== 'changing') return
    entry.state = isOn ? 'on' : 'off'
    if (!isOn) {
      entry.link = undefined
      if (entry.isWanted) this.#mark(entry)
      else this.#forget(entry)
      return
    }
    if (!entry.isWanted) {
      this.#mark(entry)
      return
    }
    const { hasLapsed } = entry
    entry.hasLapsed = false
    settle(entry)
    if (hasLapsed) entry.listener.lapsed()
    if (this.#routes.linkOf(entry.slot) !== link) this.rerouted()
  }

  #failed(entry: Entry, link: ChannelLink, error: unknown): void {
    if (entry.link !== link || entry.state !== 'changing') return
    const refusal = refusalOf(error)
    if (refusal?.kind === 'moved') {
      this.#lose(entry)
      this.#dirty.delete(entry)
      this.#routes.misrouted()
    } else if (refusal)
      this.#lose(entry, entry.hasLapsed ? undefined : unavailable('Redis does not take subscriptions now', error))
    else if (entry.kind === 'keyspace') this.#giveUp(entry, unavailable('Redis does not take the subscription', error))
    else this.#lose(entry, unavailable('Redis does not take the subscription', error))
    if (entry.isWanted) this.#again(entry)
  }

  /** Nothing depends on it, and its user may not be allowed to for as long as this process lives. */
  #giveUp(entry: Entry, problem: FusewireError): void {
    const { isWanted, hasLapsed, listener } = entry
    entry.state = 'off'
    entry.link = undefined
    entry.isWanted = false
    settle(entry, problem)
    this.#forget(entry)
    if (isWanted && hasLapsed) listener.refused?.()
  }

  #again(entry: Entry): void {
    this.#dirty.delete(entry)
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      this.rerouted()
    }, RETRY_MS)
  }
}

const settle = (entry: Entry, error?: FusewireError): void => {
  for (const waiter of entry.waiters.splice(0)) {
    if (error) waiter.reject(error)
    else waiter.resolve()
  }
}
