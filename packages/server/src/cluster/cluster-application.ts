import type {
  Awaitable,
  ChannelState,
  Engine,
  HistoryPage,
  HistoryQuery,
  PublicationDraft,
  Published,
  PublishRequest,
  RevocationTarget,
  RevokeOptions,
  Target,
} from '@fusewire/engine'
import { FusewireError, LIMITS, type Member } from '@fusewire/protocol'
import { z } from 'zod'
import { within } from '../within.ts'
import { type CallOptions, type Gathered, withoutAnswer } from './calls.ts'
import type { Cluster } from './cluster.ts'

/** What an application has asked for, over all nodes. */
export interface Touched {
  /** Sessions of the nodes that have answered. */
  readonly sessions: number
  /** Nodes that have not answered in time, or could not do it: what has become of it there is not known. */
  readonly unreachable?: readonly string[]
}

/** Channels with subscribers, over all nodes. */
export interface ChannelCounts {
  readonly channels: readonly { readonly channel: string; readonly subscribers: number }[]
  readonly unreachable?: readonly string[]
}

/** How long other nodes may take. One that is gone without a word is known for ten seconds more. */
const CALL: CallOptions = { timeoutMs: 3000 }
/** How long a revocation waits for the others to count: they do so at once, and what it ends must not wait for one that is gone. */
const COUNT_FIRST_MS = 100

const count = z.int().min(0)
const target = z.union([
  z.strictObject({ user: z.string().min(1).max(255) }),
  z.strictObject({ session: z.string().min(1).max(64) }),
])
const inChannel = z.strictObject({ target, channel: z.string().max(LIMITS.channelLength) })
const refresh = z.strictObject({ target, expiresInMs: count.exactOptional() })
const revocation = z.union([
  z.strictObject({ token: z.string() }),
  z.strictObject({ user: z.string(), issuedBefore: count.exactOptional() }),
])
const channelsQuery = z.strictObject({ pattern: z.string().max(LIMITS.channelLength).exactOptional() })
const channelsAnswer = z.array(z.tuple([z.string(), count]))

/** A call of this name, as it is asked and carried out. */
const CALLS = {
  subscribe: inChannel,
  unsubscribe: inChannel,
  disconnect: target,
  refresh,
  move: target,
  revocable: revocation,
} as const
type CallName = keyof typeof CALLS
type CallData<Name extends CallName> = z.output<(typeof CALLS)[Name]>

/** What the application asks of all nodes together: what is shared the engine knows, and for the rest the others are asked as well. */
export class ClusterApplication {
  readonly #engine: Engine
  readonly #cluster: Cluster | undefined
  readonly #own: { readonly [Name in CallName]: (data: CallData<Name>) => Awaitable<number> }

  /** Answers what other nodes ask of this one. Without a cluster there is no other node. */
  constructor(engine: Engine, cluster: Cluster | undefined) {
    this.#engine = engine
    this.#cluster = cluster
    this.#own = {
      subscribe: ({ target, channel }) => engine.subscribeUser(target, channel),
      unsubscribe: ({ target, channel }) => engine.unsubscribeUser(target, channel),
      disconnect: (target) => engine.disconnectUser(target),
      refresh: ({ target, expiresInMs }) => engine.refreshUser(target, expiresInMs),
      move: (target) => engine.moveUser(target),
      revocable: (target) => engine.revocableSessions(target),
    }
    if (cluster) this.#serve(cluster)
  }

  publish(channel: string, draft: PublicationDraft, options?: PublishRequest): Awaitable<Published> {
    return this.#engine.publish(channel, draft, options)
  }

  history(channel: string, query: HistoryQuery): Awaitable<HistoryPage> {
    return this.#engine.history(channel, query)
  }

  clearHistory(channel: string): Awaitable<void> {
    return this.#engine.clearHistory(channel)
  }

  assertKeepsState(channel: string): void {
    this.#engine.assertKeepsState(channel)
  }

  state(channel: string): Awaitable<ChannelState> {
    return this.#engine.state(channel)
  }

  stateFor(token: string | undefined, channel: string): Promise<ChannelState> {
    return this.#engine.stateFor(token, channel)
  }

  removeState(channel: string): Awaitable<boolean> {
    return this.#engine.removeState(channel)
  }

  presence(channel: string): Awaitable<readonly Member[]> {
    return this.#engine.presence(channel)
  }

  presenceCount(channel: string): Awaitable<{ readonly sessions: number; readonly users: number }> {
    return this.#engine.presenceCount(channel)
  }

  rpc(method: string, data: unknown): Promise<unknown> {
    return this.#engine.rpc(method, data)
  }

  /** Channels with subscribers, filtered by a channel pattern. */
  async channels(pattern?: string): Promise<ChannelCounts> {
    const subscribers = new Map<string, number>()
    const add = (channel: string, more: number): void => void subscribers.set(channel, (subscribers.get(channel) ?? 0) + more)
    for (const own of this.#engine.channels(pattern)) add(own.channel, own.subscribers)
    const gathered = await this.#askAll('channels', pattern === undefined ? {} : { pattern })
    const wrong: string[] = []
    for (const [node, answer] of gathered.answers) {
      const { data } = channelsAnswer.safeParse(answer)
      if (data) for (const [channel, more] of data) add(channel, more)
      else wrong.push(node)
    }
    return {
      channels: [...subscribers].map(([channel, subscribers]) => ({ channel, subscribers })),
      ...named([...gathered.unreachable, ...wrong]),
    }
  }

  /** Subscribes every session of the target, whatever the rule says. */
  subscribeUser(target: Target, channel: string): Promise<Touched> {
    return this.#everywhere('subscribe', { target, channel })
  }

  unsubscribeUser(target: Target, channel: string): Promise<Touched> {
    return this.#everywhere('unsubscribe', { target, channel })
  }

  /** Ends every session of the target at once. */
  disconnectUser(target: Target): Promise<Touched> {
    return this.#everywhere('disconnect', target)
  }

  /** Gives the identity of every session of the target another end, in milliseconds from now; none without a value. */
  refreshUser(target: Target, expiresInMs?: number): Promise<Touched> {
    return this.#everywhere('refresh', { target, ...(expiresInMs !== undefined && { expiresInMs }) })
  }

  /** Tells the clients of the target to come back elsewhere. */
  moveUser(target: Target): Promise<Touched> {
    return this.#everywhere('move', target)
  }

  /** The revocation itself goes to all nodes, also to those that do not answer; here they are asked how many sessions it ends. */
  async revoke(target: RevocationTarget, options?: RevokeOptions): Promise<Touched> {
    const counting = this.#askAll('revocable', target)
    if (this.#cluster && this.#cluster.others.length > 0) await within(counting, COUNT_FIRST_MS, () => undefined)
    const own = await this.#engine.revoke(target, options)
    return summed(own, await counting)
  }

  async #everywhere<Name extends CallName>(name: Name, data: CallData<Name>): Promise<Touched> {
    const [sessions, gathered] = await Promise.all([this.#own[name](data), this.#askAll(name, data)])
    return summed(sessions, gathered)
  }

  #askAll(name: string, data: unknown): Promise<Gathered> {
    return this.#cluster?.askAll(name, data, CALL) ?? Promise.resolve(withoutAnswer)
  }

  #serve(cluster: Cluster): void {
    const names = Object.keys(CALLS) as CallName[]
    for (const name of names) cluster.handle(name, (data) => this.#carryOut(name, data))
    cluster.handle('channels', (data) => {
      const { pattern } = checked(channelsQuery, data)
      return this.#engine.channels(pattern).map(({ channel, subscribers }) => [channel, subscribers])
    })
  }

  #carryOut<Name extends CallName>(name: Name, data: unknown): Awaitable<number> {
    const schema: z.ZodType = CALLS[name]
    return this.#own[name](checked(schema, data) as CallData<Name>)
  }
}

const checked = <T>(schema: z.ZodType<T>, data: unknown): T => {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  throw new FusewireError('invalid_field', 'a call between nodes has not the documented form')
}

const named = (unreachable: readonly string[]): { readonly unreachable?: readonly string[] } =>
  unreachable.length === 0 ? {} : { unreachable }

const summed = (own: number, { answers, unreachable }: Gathered): Touched => {
  let sessions = own
  const wrong: string[] = []
  for (const [node, answer] of answers) {
    const { data } = count.safeParse(answer)
    if (data === undefined) wrong.push(node)
    else sessions += data
  }
  return { sessions, ...named([...unreachable, ...wrong]) }
}
