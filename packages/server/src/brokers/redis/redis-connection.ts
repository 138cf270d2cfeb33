import type { Environment } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import type { RedisArgument } from '@redis/client'
import type { BrokerHealth } from '../broker-health.ts'
import { Backoff } from './backoff.ts'
import { hashSlot, SLOTS } from './hash-slot.ts'
import { parseRedisAddress, type RedisEndpoint, type RedisMode } from './redis-address.ts'
import type { RedisAccess } from './redis-client.ts'
import { refusalOf, unavailable } from './redis-error.ts'
import type { RedisLibrary } from './redis-library.ts'
import { RedisLink, type RedisReply } from './redis-link.ts'
import { type ChannelListener, RedisSubscriptions } from './redis-subscriptions.ts'
import { ALL_SLOTS, type FindMasters, findClusterMasters, findSentinelMaster, type RedisMaster } from './redis-topology.ts'

export interface RedisConnectionOptions {
  /** Addresses without `redisAddressProblem`, all of one scheme. */
  readonly addresses: readonly string[]
  readonly mode: RedisMode
  /** Name of the master that the sentinels watch. */
  readonly master: string
  /** Certificates (PEM) of the authorities that servers are checked against, in place of the system's. */
  readonly ca?: string
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number
  readonly library: RedisLibrary
}

export interface ConnectionListener {
  /** Nothing, or not everything, can be asked now. */
  away?(problem: FusewireError): void
  /** Everything can be asked again. */
  back?(): void
}

export interface CallOptions {
  /** Strings in the answer are given as buffers. */
  readonly buffers?: boolean
}

/**
 * How often masters are looked for though nothing seems to be wrong, in milliseconds. A master that sentinels have replaced takes
 * writes, which are lost, until it is told so itself; a server of a cluster says by itself what it has no more.
 */
const REFRESH_MS = { standalone: 0, sentinel: 1_000, cluster: 10_000 } as const
const TRY_AGAIN_MS = 50

/**
 * Redis, whatever it consists of: one server, a master that sentinels choose, or the masters of a cluster. It is connected again by
 * itself, at moments that are spread; nothing waits for that in a queue, and nothing is ever sent twice that may have been carried out.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #access: RedisAccess
  readonly #random: () => number
  readonly #health: BrokerHealth
  readonly #first: RedisEndpoint
  readonly #find: FindMasters | undefined
  readonly #links = new Map<string, RedisLink>()
  readonly #subscriptions: RedisSubscriptions
  readonly #listeners = new Set<ConnectionListener>()
  readonly #backoff: Backoff
  /** The link of each slot; of slot 0 for all where there are no slots. */
  #routes: (RedisLink | undefined)[] = []
  #users = 0
  #state: 'new' | 'open' | 'closed' = 'new'
  #problem: FusewireError | undefined = unavailable('Redis has not been reached yet')
  #opening: Promise<void> | undefined
  #finding: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: RedisConnectionOptions, environment: Environment, health: BrokerHealth) {
    const { addresses, mode, master, ca, timeoutMs } = options
    this.#options = options
    this.#random = () => environment.random()
    this.#health = health
    this.#backoff = new Backoff(this.#random)
    const parsed = addresses.map((address) => parseRedisAddress(address, mode))
    const [first = parseRedisAddress('redis://127.0.0.1', mode)] = parsed
    const { host: _, port: __, ...user } = first
    this.#access = { ...user, ...(ca !== undefined && { ca }), timeoutMs }
    const endpoints = parsed.map(({ host, port }) => ({ host, port }))
    if (mode === 'sentinel') this.#find = findSentinelMaster(endpoints, this.#access, master)
    if (mode === 'cluster') this.#find = findClusterMasters(endpoints, this.#access)
    this.#subscriptions = new RedisSubscriptions({
      linkOf: (slot) => this.#linkOf(slot),
      problem: () => this.#problem,
      misrouted: () => this.#look(),
      isSlotted: mode === 'cluster',
    })
    this.#first = { host: first.host, port: first.port }
  }

  /**
   * Connects. Whoever uses it calls this, waits for the same, and calls {@link RedisConnection.release} in the end.
   * @throws FusewireError `broker_unavailable` when that takes longer than an answer may; it is closed then.
   */
  open(): Promise<void> {
    this.#users++
    this.#opening ??= this.#open()
    return this.#opening
  }

  /** One of its users is done; with the last it is closed. */
  release(): void {
    if (--this.#users <= 0) this.close()
  }

  /** Why not everything can be asked; undefined while it can. */
  problem(): FusewireError | undefined {
    return this.#problem
  }

  /** Tells of every change. The disposer ends that. */
  watch(listener: ConnectionListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Calls a function of the library on the master that has the keys, which are of one slot. Tried again only where it is certain that
   * nothing was done.
   * @throws FusewireError `broker_unavailable`: at once while it is known to be away, else within the time for an answer; whether it
   * was carried out is then unknown.
   */
  call(name: string, keys: readonly string[], args: readonly RedisArgument[], options?: CallOptions): Promise<RedisReply> {
    const slot = this.#slotOf(keys[0] ?? '')
    const command = ['FCALL', this.#options.library.functionName(name), String(keys.length), ...keys, ...args]
    return this.#ask(name, this.#linkOf(slot), { slot, command, buffers: options?.buffers ?? false })
  }

  /** Calls a function that is not about keys on each master. */
  callAll(name: string, args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    const command = ['FCALL', this.#options.library.functionName(name), '0', ...args]
    const links = [...new Set(this.#routes)]
    if (links.length === 0) return Promise.reject(this.#why(undefined))
    return Promise.all(links.map((link) => this.#ask(name, link, { slot: 0, command, buffers: false })))
  }

  /**
   * Settles once everything that is published in the sharded channel from now on is heard; a channel that has been subscribed stays
   * so over losses of the connection, of which its listener is told, until {@link RedisConnection.unsubscribe}.
   * @throws FusewireError `broker_unavailable`; it is not subscribed then, unless it was before.
   */
  subscribe(channel: string, listener: ChannelListener): Promise<void> {
    return this.#subscriptions.subscribe(channel, listener)
  }

  unsubscribe(channel: string): void {
    this.#subscriptions.unsubscribe(channel)
  }

  /** Idempotent. What is under way is rejected. */
  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearTimeout(this.#timer)
    const problem = unavailable('the connection to Redis has been closed')
    this.#problem = problem
    this.#subscriptions.close(problem)
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
    this.#routes = []
    this.#listeners.clear()
  }

  #open(): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(this.#problem)
    this.#state = 'open'
    if (this.#find) this.#look()
    else this.#use([{ endpoint: this.#first, slots: ALL_SLOTS }])
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const problem = this.#problem
        this.close()
        reject(problem)
      }, this.#options.timeoutMs)
      const stop = this.watch({
        back: () => {
          clearTimeout(timer)
          stop()
          resolve()
        },
      })
    })
  }

  #slotOf(key: string): number {
    return this.#options.mode === 'cluster' ? hashSlot(key) : 0
  }

  #linkOf(slot: number): RedisLink | undefined {
    return this.#routes[this.#options.mode === 'cluster' ? slot : 0]
  }

  #why(link: RedisLink | undefined): FusewireError {
    return link?.problem ?? this.#problem ?? unavailable('no Redis server has this slot')
  }

  #ask(name: string, link: RedisLink | undefined, asked: Omit<Asked, 'link'>): Promise<RedisReply> {
    if (!link?.isUp) {
      this.#health.failed(name)
      return Promise.reject(this.#why(link))
    }
    const askedAt = performance.now()
    return link.ask(asked.command, asked.buffers).then(
      (reply) => {
        this.#health.answered(name, performance.now() - askedAt)
        return reply
      },
      async (refused: unknown) => {
        try {
          const reply = await this.#again(refused, { ...asked, link })
          this.#health.answered(name, performance.now() - askedAt)
          return reply
        } catch (error) {
          this.#health.failed(name)
          throw error
        }
      },
    )
  }

  async #again(refused: unknown, asked: Asked): Promise<RedisReply> {
    const { slot, command, buffers } = asked
    const deadline = performance.now() + this.#options.timeoutMs
    let { link } = asked
    let error = refused
    do {
      const refusal = refusalOf(error)
      try {
        switch (refusal?.kind) {
          case 'no-function':
            await link.loadLibrary()
            return await link.ask(command, buffers)
          case 'moved':
            link = this.#endpointLink(refusal.to, link)
            this.#reroute(refusal.slot, link)
            this.#look(link.endpoint)
            await this.#upOrLate(link, deadline)
            return await link.ask(command, buffers)
          case 'ask': {
            const importing = this.#endpointLink(refusal.to, link)
            await this.#upOrLate(importing, deadline)
            return await importing.askImporting(command, buffers)
          }
          case 'try-again':
            await pause(TRY_AGAIN_MS)
            link = this.#linkOf(slot) ?? link
            return await link.ask(command, buffers)
          default:
            throw this.#refused(error, link)
        }
      } catch (next) {
        if (next instanceof FusewireError) throw next
        error = next
      }
    } while (performance.now() < deadline)
    throw unavailable('Redis did not get to it in time', error)
  }

  #refused(error: unknown, link: RedisLink): FusewireError {
    if (error instanceof FusewireError) return error
    const refusal = refusalOf(error)
    if (refusal?.kind === 'demoted') {
      const problem = unavailable(`Redis at ${link.name} is a replica, and takes no writes`, error)
      link.drop(problem)
      return problem
    }
    if (refusal?.kind === 'not-now') this.#look()
    if (refusal?.kind === 'full') return unavailable('Redis has no memory, disk or replica left for what is written', error)
    return unavailable('Redis cannot do it now', error)
  }

  #reroute(slot: number, link: RedisLink): void {
    if (this.#routes[slot] === link) return
    this.#routes[slot] = link
    this.#subscriptions.rerouted()
  }

  #endpointLink(to: string, from: RedisLink): RedisLink {
    const colon = to.lastIndexOf(':')
    const host = to.slice(0, colon)
    return this.#link({ host: host === '' || host === '?' ? from.endpoint.host : host, port: Number(to.slice(colon + 1)) })
  }

  async #upOrLate(link: RedisLink, deadline: number): Promise<void> {
    while (!link.isUp) {
      if (performance.now() >= deadline || this.#state === 'closed') throw link.problem
      await pause(TRY_AGAIN_MS)
    }
  }

  #link(endpoint: RedisEndpoint): RedisLink {
    const name = `${endpoint.host}:${endpoint.port}`
    const known = this.#links.get(name)
    if (known) return known
    const context = { access: this.#access, library: this.#options.library, random: this.#random }
    let wasUp = false
    const link = new RedisLink(endpoint, context, {
      up: () => {
        if (wasUp) this.#health.reconnects++
        wasUp = true
        this.#subscriptions.rerouted()
        this.#judge()
      },
      down: (lost, problem) => {
        this.#subscriptions.down(lost, problem)
        this.#judge()
        this.#look()
      },
      message: (channel, payload) => this.#subscriptions.message(channel, payload),
      moved: (channel) => this.#subscriptions.moved(channel),
    })
    this.#links.set(name, link)
    return link
  }

  /** Looks for the masters, soon where that has been tried in vain; several calls at once are one. */
  #look(informed?: RedisEndpoint): void {
    if (!this.#find || this.#finding || this.#state !== 'open') return
    clearTimeout(this.#timer)
    const up = [...this.#links.values()].filter(({ isUp }) => isUp).map(({ endpoint }) => endpoint)
    this.#finding = this.#find(informed ? [informed, ...up] : up)
      .then(
        (masters) => {
          if (this.#state === 'open') this.#use(masters)
        },
        (error: unknown) => {
          if (this.#state === 'open') this.#judge(unavailable('nobody tells which Redis server is the master', error))
        },
      )
      .finally(() => {
        this.#finding = undefined
        if (this.#state !== 'open') return
        if (!this.#problem) this.#backoff.reset()
        this.#timer = setTimeout(() => this.#look(), this.#problem ? this.#backoff.next() : REFRESH_MS[this.#options.mode])
      })
  }

  #use(masters: readonly RedisMaster[]): void {
    const isCluster = this.#options.mode === 'cluster'
    const routes = new Array<RedisLink | undefined>(isCluster ? SLOTS : 1).fill(undefined)
    for (const { endpoint, slots } of masters) {
      const link = this.#link(endpoint)
      if (isCluster) for (const [from, to] of slots) routes.fill(link, from, to + 1)
      else routes[0] = link
    }
    const isChanged = routes.some((link, slot) => link !== this.#routes[slot])
    this.#routes = routes
    for (const [name, link] of this.#links)
      if (!routes.includes(link)) {
        this.#links.delete(name)
        this.#subscriptions.down(link, unavailable(`Redis at ${link.name} has no slots any more`))
        link.close()
      }
    if (isChanged) this.#subscriptions.rerouted()
    this.#judge()
  }

  /** Whether everything can be asked now, and tells of a change. */
  #judge(found?: FusewireError): void {
    if (this.#state !== 'open') return
    const links = new Set(this.#routes)
    const down = [...links].find((link) => link && !link.isUp)
    const isWhole = links.size > 0 && !links.has(undefined)
    const problem = down?.problem ?? (isWhole ? undefined : (found ?? this.#problem ?? unavailable('slots have no master')))
    const before = this.#problem
    this.#problem = problem
    if (before && !problem) {
      this.#health.back()
      for (const listener of [...this.#listeners]) listener.back?.()
    } else if (!before && problem) {
      this.#health.away(problem)
      for (const listener of [...this.#listeners]) listener.away?.(problem)
    }
  }
}

interface Asked {
  readonly link: RedisLink
  readonly slot: number
  readonly command: readonly RedisArgument[]
  readonly buffers: boolean
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
