import type { FusewireError } from '@fusewire/protocol'
import type { RedisArgument } from '@redis/client'
import { Backoff } from '../backoff.ts'
import { AnswerWatch } from './answer-watch.ts'
import type { RedisEndpoint } from './redis-address.ts'
import { connectRedis, isErrorReply, type RedisAccess, type RedisClient } from './redis-client.ts'
import { refusalOf, unavailable } from './redis-error.ts'
import type { RedisLibrary } from './redis-library.ts'

/** What functions answer. */
export type RedisReply = string | number | boolean | null | Buffer | readonly RedisReply[]

/**
 * `sharded`: what is published in it reaches every node. `keyspace`: what the master that has a key tells of it, to whoever listens there.
 */
export type ChannelKind = 'sharded' | 'keyspace'

export interface LinkContext {
  readonly access: RedisAccess
  readonly library: RedisLibrary
  readonly random: () => number
}

export interface LinkListener {
  /** It can be asked now. Nothing is subscribed on it. */
  up(link: RedisLink): void
  /** It cannot be asked any more, or the first try to reach it has failed; what was subscribed on it is not any more. */
  down(link: RedisLink, problem: FusewireError): void
  /** Something was published in a channel that is subscribed on it. */
  message(channel: string, payload: Buffer): void
  /** The server has let go of a channel, because its slot has gone elsewhere. */
  moved(channel: string): void
}

type LinkState =
  | { readonly name: 'connecting' }
  | { readonly name: 'up'; readonly commands: Lane; readonly channels: Lane; readonly beat: NodeJS.Timeout }
  | { readonly name: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly name: 'closed' }

/** A connection with the watch over its answers. */
interface Lane {
  readonly client: RedisClient
  readonly watch: AnswerWatch
}

/** The first byte of a bulk string, by which the client library names its type. */
const BULK_STRING = 36 // $
const BUFFERS = { typeMapping: { [BULK_STRING]: Buffer } } as const

/**
 * One server: a connection for commands, and one for channels, so that a large answer does not count against the limit that Redis
 * has for subscribers. They stand and fall together. It connects again until it is closed.
 *
 *     connecting --> up --> waiting --> connecting ...       closed from everywhere
 *          `--------------> waiting
 */
export class RedisLink {
  readonly endpoint: RedisEndpoint
  readonly #context: LinkContext
  readonly #listener: LinkListener
  readonly #backoff: Backoff
  #state: LinkState = { name: 'connecting' }
  #problem: FusewireError
  #loading: Promise<void> | undefined

  constructor(endpoint: RedisEndpoint, context: LinkContext, listener: LinkListener) {
    this.endpoint = endpoint
    this.#context = context
    this.#listener = listener
    this.#backoff = new Backoff(context.random)
    this.#problem = unavailable(`Redis at ${this.name} has not been reached yet`)
    void this.#connect()
  }

  get name(): string {
    const { host, port } = this.endpoint
    return `${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  get isUp(): boolean {
    return this.#state.name === 'up'
  }

  /** Why it cannot be asked; the last reason while it can. */
  get problem(): FusewireError {
    return this.#problem
  }

  /**
   * Asks; what is asked in one turn leaves in one write. Rejects with what Redis says, or `broker_unavailable` when there is no
   * answer: then nobody knows whether it was carried out, unless the link was not up.
   */
  ask(command: readonly RedisArgument[], buffers = false): Promise<RedisReply> {
    const state = this.#state
    if (state.name !== 'up') return Promise.reject(this.#problem)
    // Behind those that are asked again once the library is there.
    if (this.#loading) return this.#loading.then(() => this.#ask(state.commands, command, buffers))
    return this.#ask(state.commands, command, buffers)
  }

  /** The same for one of a server that is about to get the slot. */
  askImporting(command: readonly RedisArgument[], buffers = false): Promise<RedisReply> {
    const state = this.#state
    if (state.name !== 'up') return Promise.reject(this.#problem)
    this.#ask(state.commands, ['ASKING'], false).catch(() => undefined)
    return this.#ask(state.commands, command, buffers)
  }

  /** Loads the library again where the server has lost it. Several calls at once are one. */
  loadLibrary(): Promise<void> {
    const state = this.#state
    if (state.name !== 'up') return Promise.reject(this.#problem)
    this.#loading ??= this.#load(state.commands).finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  /** Channels of one slot. */
  subscribe(channels: readonly string[], kind: ChannelKind): Promise<void> {
    return this.#change((client) =>
      kind === 'sharded'
        ? client.sSubscribe([...channels], this.#heard, true)
        : client.subscribe([...channels], this.#heard, true),
    )
  }

  unsubscribe(channels: readonly string[], kind: ChannelKind): Promise<void> {
    return this.#change((client) =>
      kind === 'sharded'
        ? client.sUnsubscribe([...channels], this.#heard, true)
        : client.unsubscribe([...channels], this.#heard, true),
    )
  }

  /** Ends the connections, because they cannot be relied on; others are made. */
  drop(problem: FusewireError): void {
    if (this.#state.name !== 'up') return
    this.#end()
    this.#wait(problem)
  }

  close(): void {
    this.#problem = unavailable('the connection to Redis has been closed')
    this.#end()
    if (this.#state.name === 'waiting') clearTimeout(this.#state.timer)
    this.#state = { name: 'closed' }
  }

  async #connect(): Promise<void> {
    this.#state = { name: 'connecting' }
    const { access } = this.#context
    const lanes: Lane[] = []
    try {
      const opened = await Promise.allSettled([this.#open(), this.#open()])
      for (const lane of opened) if (lane.status === 'fulfilled') lanes.push(lane.value)
      for (const lane of opened) if (lane.status === 'rejected') throw lane.reason
      const [commands, channels] = lanes
      if (!commands || !channels || this.#closed) throw new Error('it has been closed')
      await this.#ask(commands, ['PING'], false)
      await this.#load(commands)
      if (this.#closed || !commands.client.isReady || !channels.client.isReady) throw new Error('the connection has ended')
      channels.client.on('sharded-channel-moved', (channel: string) => this.#listener.moved(channel))
      const beat = setInterval(() => this.#beat(), Math.max(500, access.timeoutMs / 2))
      this.#state = { name: 'up', commands, channels, beat }
    } catch (error) {
      for (const lane of lanes) endLane(lane)
      if (!this.#closed) this.#wait(this.#explain(error))
      return
    }
    this.#backoff.reset()
    this.#listener.up(this)
  }

  get #closed(): boolean {
    return this.#state.name === 'closed'
  }

  async #open(): Promise<Lane> {
    const { access } = this.#context
    const lost = (error: Error): void => this.drop(unavailable(`the connection to Redis at ${this.name} has ended`, error))
    const client = await connectRedis(this.endpoint, access, lost)
    const watch = new AnswerWatch(access.timeoutMs, () => {
      if (this.isUp) this.drop(unavailable(`Redis at ${this.name} has not answered within ${access.timeoutMs} ms`))
      else client.destroy()
    })
    return { client, watch }
  }

  #ask({ client, watch }: Lane, command: readonly RedisArgument[], buffers: boolean): Promise<RedisReply> {
    watch.asked()
    return client.sendCommand<RedisReply>(command, buffers ? BUFFERS : undefined).then(
      (reply) => {
        watch.answered()
        return reply
      },
      (error: unknown) => {
        watch.answered()
        throw isErrorReply(error) ? error : this.#lost(error)
      },
    )
  }

  async #change(ask: (client: RedisClient) => Promise<void>): Promise<void> {
    const state = this.#state
    if (state.name !== 'up') throw this.#problem
    const { client, watch } = state.channels
    watch.asked()
    try {
      await ask(client)
    } catch (error) {
      throw isErrorReply(error) ? error : this.#lost(error)
    } finally {
      watch.answered()
    }
  }

  #lost(cause: unknown): FusewireError {
    return this.isUp ? unavailable(`Redis at ${this.name} has not answered`, cause) : this.#problem
  }

  async #load(commands: Lane): Promise<void> {
    try {
      await this.#ask(commands, ['FUNCTION', 'LOAD', this.#context.library.code], false)
    } catch (error) {
      const isThere = isErrorReply(error) && /already exists/u.test(error.message)
      // Redis that refuses to grow may still answer what does not.
      if (!isThere && refusalOf(error)?.kind !== 'full') throw error
    }
  }

  /** Finds out about a connection that is dead while nobody asks anything. */
  #beat(): void {
    const state = this.#state
    if (state.name !== 'up') return
    if (state.commands.watch.isIdle) this.#ask(state.commands, ['PING'], false).catch(() => undefined)
    // A PING among subscriptions would take the notice of a moved channel for its own answer.
    if (state.channels.watch.isIdle) this.#change((client) => client.ping().then(() => undefined)).catch(() => undefined)
  }

  readonly #heard = (payload: Buffer, channel: Buffer): void => this.#listener.message(channel.toString('latin1'), payload)

  #explain(error: unknown): FusewireError {
    if (!isErrorReply(error)) return unavailable(`Redis at ${this.name} cannot be reached`, error)
    if (/^(?:WRONGPASS|NOAUTH|NOPERM)/u.test(error.message))
      return unavailable(`Redis at ${this.name} refuses the user or password of the option broker`, error)
    if (/unknown command/iu.test(error.message))
      return unavailable(`Redis at ${this.name} is too old: 7.0 or newer is needed, for its functions`, error)
    if (refusalOf(error)?.kind === 'demoted') return unavailable(`Redis at ${this.name} is a replica, and takes no writes`, error)
    return unavailable(`Redis at ${this.name} cannot work now`, error)
  }

  #wait(problem: FusewireError): void {
    this.#problem = problem
    this.#state = { name: 'waiting', timer: setTimeout(() => void this.#connect(), this.#backoff.next()) }
    this.#listener.down(this, problem)
  }

  #end(): void {
    if (this.#state.name !== 'up') return
    const { commands, channels, beat } = this.#state
    clearInterval(beat)
    // Before commands are rejected, so that whoever asks again at once is told that it is away.
    this.#state = { name: 'connecting' }
    for (const lane of [commands, channels]) endLane(lane)
  }
}

const endLane = ({ client, watch }: Lane): void => {
  watch.close()
  client.destroy()
}
