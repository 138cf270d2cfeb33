import type { FusewireError } from '@fusewire/protocol'
import { Backoff } from '../backoff.ts'
import { SLOTS } from './hash-slot.ts'
import { parseRedisAddress, type RedisEndpoint, type RedisMode } from './redis-address.ts'
import type { RedisAccess } from './redis-client.ts'
import { unavailable } from './redis-error.ts'
import type { RedisLibrary } from './redis-library.ts'
import { RedisLink } from './redis-link.ts'
import { ALL_SLOTS, type FindMasters, findClusterMasters, findSentinelMaster, type RedisMaster } from './redis-topology.ts'

export interface RedisMastersOptions {
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

export interface MastersListener {
  /** Slots may have other links now, or a link has come up. */
  rerouted(): void
  /** What was subscribed on the link is not any more. */
  down(link: RedisLink, problem: FusewireError): void
  message(channel: string, payload: Buffer): void
  moved(channel: string): void
  /** A link has been made again. */
  reconnected(): void
  /** Nothing, or not everything, can be asked now. */
  away(problem: FusewireError): void
  /** Everything can be asked again. */
  back(): void
}

/**
 * How often masters are looked for though nothing seems to be wrong, in milliseconds. A master that sentinels have replaced takes
 * writes, which are lost, until it is told so itself; a server of a cluster says by itself what it has no more.
 */
const REFRESH_MS = { standalone: 0, sentinel: 1_000, cluster: 10_000 } as const

/** The servers that take writes, wherever they are at the moment, with a link to each, and which of them has which slot. */
export class RedisMasters {
  readonly #options: RedisMastersOptions
  readonly #access: RedisAccess
  readonly #random: () => number
  readonly #listener: MastersListener
  readonly #first: RedisEndpoint
  readonly #find: FindMasters | undefined
  readonly #links = new Map<string, RedisLink>()
  readonly #backoff: Backoff
  /** The link of each slot; of slot 0 for all where there are no slots. */
  #routes: (RedisLink | undefined)[] = []
  #state: 'new' | 'open' | 'closed' = 'new'
  #problem: FusewireError | undefined = unavailable('Redis has not been reached yet')
  #finding: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: RedisMastersOptions, random: () => number, listener: MastersListener) {
    const { addresses, mode, master, ca, timeoutMs } = options
    this.#options = options
    this.#random = random
    this.#listener = listener
    this.#backoff = new Backoff(random)
    const parsed = addresses.map((address) => parseRedisAddress(address, mode))
    const [first = parseRedisAddress('redis://127.0.0.1', mode)] = parsed
    const { host, port, ...user } = first
    this.#first = { host, port }
    this.#access = { ...user, ...(ca !== undefined && { ca }), timeoutMs }
    const endpoints = parsed.map((address) => ({ host: address.host, port: address.port }))
    if (mode === 'sentinel') this.#find = findSentinelMaster(endpoints, this.#access, master)
    if (mode === 'cluster') this.#find = findClusterMasters(endpoints, this.#access)
  }

  /** Why not everything can be asked; undefined while it can. */
  get problem(): FusewireError | undefined {
    return this.#problem
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Number of the database. */
  get database(): number {
    return this.#access.database
  }

  open(): void {
    if (this.#state !== 'new') return
    this.#state = 'open'
    if (this.#find) this.look()
    else this.#use([{ endpoint: this.#first, slots: ALL_SLOTS }])
  }

  close(problem: FusewireError): void {
    this.#state = 'closed'
    this.#problem = problem
    clearTimeout(this.#timer)
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
    this.#routes = []
  }

  /** The link that has the slot, up or not. */
  linkOf(slot: number): RedisLink | undefined {
    return this.#routes[slot]
  }

  /** The link to a server that another one has named. */
  linkTo(name: string, from: RedisLink): RedisLink {
    const colon = name.lastIndexOf(':')
    const host = name.slice(0, colon)
    return this.#link({ host: host === '' || host === '?' ? from.endpoint.host : host, port: Number(name.slice(colon + 1)) })
  }

  /** A server says that another one has the slot. */
  reroute(slot: number, link: RedisLink): void {
    if (this.#routes[slot] !== link) {
      this.#routes[slot] = link
      this.#listener.rerouted()
    }
    this.look(link.endpoint)
  }

  /** Looks for the masters, soon where that has been tried in vain; several calls at once are one. */
  look(informed?: RedisEndpoint): void {
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
        this.#timer = setTimeout(() => this.look(), this.#problem ? this.#backoff.next() : REFRESH_MS[this.#options.mode])
      })
  }

  #link(endpoint: RedisEndpoint): RedisLink {
    const name = `${endpoint.host}:${endpoint.port}`
    const known = this.#links.get(name)
    if (known) return known
    const context = { access: this.#access, library: this.#options.library, random: this.#random }
    let wasUp = false
    const link = new RedisLink(endpoint, context, {
      up: () => {
        if (wasUp) this.#listener.reconnected()
        wasUp = true
        this.#listener.rerouted()
        this.#judge()
      },
      down: (lost, problem) => {
        this.#listener.down(lost, problem)
        this.#judge()
        this.look()
      },
      message: (channel, payload) => this.#listener.message(channel, payload),
      moved: (channel) => this.#listener.moved(channel),
    })
    this.#links.set(name, link)
    return link
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
        this.#listener.down(link, unavailable(`Redis at ${link.name} has no slots any more`))
        link.close()
      }
    if (isChanged) this.#listener.rerouted()
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
    if (before && !problem) this.#listener.back()
    else if (!before && problem) this.#listener.away(problem)
  }
}
