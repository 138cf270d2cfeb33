import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { FusewireInput } from '@fusewire/server'
import { eventually, type Random } from '@fusewire/testkit'
import { Api } from '../api.ts'
import { judgeDocument } from '../faults/document.ts'
import { judge } from '../faults/judge.ts'
import { createStreams, RULES, type Stream } from '../faults/stream.ts'
import { HOOK_SECRET, HookServer } from '../hook-backend.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import type { Endpoints } from '../wire/way.ts'
import { BROKER_TIMEOUT_MS, type BrokerServers } from './broker-servers.ts'
import type { ClusterFault } from './faults.ts'
import { freshFetch, openField, type Participant } from './field.ts'
import { ClusterNodes } from './nodes.ts'
import { type PublishingReport, publishAll } from './publishing.ts'
import { SETTLE_TIMEOUT_MS, settle } from './settling.ts'

/** Longer than a node takes to be noticed as gone by its clients, and shorter than the longest time that one stands still. */
export const SESSION_TTL_MS = 6_500

const REQUEST_TIMEOUT_MS = 4_000

/** Of the ends of connections that a problem is shown with. */
const SHOWN_ENDS = 20

/** How soon clients notice that a node stands still. */
export const PONG_TIMEOUT_MS = 4_000

/**
 * While a process that carries all lines and clients stood still for longer, they may have taken one another for dead: that they come
 * anew then is no fault of the nodes. In milliseconds.
 */
const MAX_HELD_UP_MS = 1_000

const NS_PER_MS = 1e6

const options = (hooks: HookServer, pongTimeoutMs: number): FusewireInput => ({
  ...DEVELOPMENT,
  logLevel: 'debug',
  sessionTtlMs: SESSION_TTL_MS,
  pingIntervalMs: 1_000,
  pongTimeoutMs,
  brokerTimeoutMs: BROKER_TIMEOUT_MS,
  rules: RULES.map((rule) => ({ ...rule, presence: rule.pattern === 'long:*' })),
  hooks: [{ url: hooks.url, events: ['disconnect'] }],
  hookSecrets: [HOOK_SECRET],
})

/** How a play went, in counts. */
export interface PlayCounts {
  acknowledged: number
  refused: number
  delivered: number
  recovered: number
  lost: number
  connected: number
  resumed: number
  begunAnew: number
}

export interface PlayOptions {
  readonly pongTimeoutMs?: number
  /** Flags of Node itself, for each of the nodes. */
  readonly nodeFlags?: readonly string[]
}

export interface PlayOutcome {
  readonly counts: PlayCounts
  /** The faults that have struck, in order. */
  readonly struck: readonly ClusterFault[]
  /** For how long this process stood still, at most, with its clients and all lines. In milliseconds. */
  readonly heldUpMs: number
  readonly problems: readonly string[]
}

/** Nodes over a broker, in which something is published all the time, and clients that follow it, whatever befalls them. */
export class Play implements AsyncDisposable {
  readonly nodes: ClusterNodes
  readonly #hooks: HookServer
  readonly #random: Random
  readonly #api: Api
  readonly #closeApi: () => Promise<void>
  /** Of the clients of each round. */
  readonly #entrances: Endpoints[] = []
  readonly #heldUp = monitorEventLoopDelay({ resolution: 20 })

  private constructor(nodes: ClusterNodes, hooks: HookServer, random: Random, base: string) {
    this.nodes = nodes
    this.#hooks = hooks
    this.#random = random
    const { send, close } = freshFetch(REQUEST_TIMEOUT_MS)
    this.#heldUp.enable()
    this.#api = new Api(base, undefined, send)
    this.#closeApi = close
  }

  static async start(
    count: number,
    broker: BrokerServers,
    random: Random,
    { pongTimeoutMs = PONG_TIMEOUT_MS, nodeFlags = [] }: PlayOptions = {},
  ): Promise<Play> {
    const hooks = await HookServer.start('HTTP/1.1')
    try {
      const nodes = await ClusterNodes.start(count, broker, { options: options(hooks, pongTimeoutMs), nodeFlags }, random.fork())
      return new Play(nodes, hooks, random.fork(), (await nodes.entrance()).http)
    } catch (error) {
      await hooks[Symbol.asyncDispose]()
      throw error
    }
  }

  /**
   * New clients on new channels go through these faults, one after the other, each at a random moment. After each of them everyone has
   * to have everything again; in the end presence has to be who is there, and each session's end to have been told once. `stop` leaves
   * out the faults that have not struck.
   */
  async round(name: string, clients: number, faults: readonly ClusterFault[], stop?: AbortSignal): Promise<PlayOutcome> {
    const random = this.#random.fork()
    const streams = createStreams(name)
    this.nodes.forgetLog()
    this.#hooks.notices.length = 0
    while (this.#entrances.length < clients) this.#entrances.push(await this.nodes.entrance())
    const participants = openField(this.#entrances.slice(0, clients), streams, random)
    const struck: ClusterFault[] = []
    let heldUpMs = 0
    const problems: string[] = []
    const report: PublishingReport = { acknowledged: 0, refused: 0, problems }
    const field = { nodes: this.nodes, api: this.#api, streams, participants, report }
    try {
      await settle('the beginning', field)
      for (const fault of faults) {
        if (stop?.aborted) break
        struck.push(fault)
        this.#heldUp.reset()
        const isOver = new AbortController()
        const publishing = publishAll(this.#api, streams, participants, random, report, isOver.signal)
        let before = connections(participants)
        try {
          await delay(random.integer(100, 700))
          before = connections(participants)
          await fault.strike(this.nodes, random)
          await delay(random.integer(100, 400))
        } finally {
          isOver.abort()
          await publishing
        }
        await settle(fault.name, field)
        const wasHeldUpMs = this.#heldUp.max / NS_PER_MS
        heldUpMs = Math.max(heldUpMs, wasHeldUpMs)
        if (fault.isOfBroker && wasHeldUpMs < MAX_HELD_UP_MS)
          problems.push(...this.#reconnected(fault.name, before, participants))
        // Only the store knows the sessions of a node that was killed, and the next fault may be that it loses them.
        const former = participants.flatMap(({ subscriber }) => subscriber.sessions.slice(0, -1))
        if (problems.length === 0) await this.#checkEnds(former, problems)
        // What comes after the first thing that is wrong tells nothing more.
        if (problems.length > 0) break
      }
      if (problems.length === 0) await this.#checkPresence(streams, participants, problems)
    } catch (error) {
      problems.push((error as Error).message)
    } finally {
      await Promise.all(participants.map(({ close }) => close()))
    }
    const sessions = participants.flatMap(({ subscriber }) => subscriber.sessions)
    if (problems.length === 0) await this.#checkEnds(sessions, problems)
    return { ...this.#judge(streams, participants, report), struck, heldUpMs }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#heldUp.disable()
    await this.#closeApi()
    await this.nodes[Symbol.asyncDispose]()
    await this.#hooks[Symbol.asyncDispose]()
  }

  /** Presence has to become those who are there: nobody who has gone, and nobody missing. */
  async #checkPresence(streams: readonly Stream[], participants: readonly Participant[], problems: string[]): Promise<void> {
    const channel = streams.find(({ name }) => name.startsWith('long:'))?.name ?? ''
    let [there, wanted] = ['', '']
    await eventually(
      async () => {
        const { members } = await this.#api.presence(channel)
        there = members
          .map(({ session }) => session)
          .sort()
          .join()
        wanted = participants
          .map(({ subscriber }) => subscriber.sessions.at(-1))
          .sort()
          .join()
        return there === wanted
      },
      { timeoutMs: SETTLE_TIMEOUT_MS, intervalMs: 100 },
    ).catch((error: Error) => problems.push(`presence is\n${there}, and there are\n${wanted} (${error.message})`))
  }

  /** These sessions have ended, and the application has been told once of each, whichever node it was on. */
  async #checkEnds(sessions: readonly string[], problems: string[]): Promise<void> {
    const idsOf = (session: string): Set<string> =>
      new Set(
        this.#hooks
          .told('disconnect')
          .filter((notice) => notice.session === session)
          .map(({ id }) => id),
      )
    const untold = () => sessions.filter((session) => idsOf(session).size === 0)
    await eventually(() => untold().length === 0, { timeoutMs: SETTLE_TIMEOUT_MS, intervalMs: 50 }).catch(() =>
      problems.push(`nobody was told of the end of ${untold().join(', ')}`),
    )
    for (const session of sessions) {
      const ids = idsOf(session)
      if (ids.size > 1) problems.push(`the end of ${session} was told as ${[...ids].join(' and ')}`)
    }
  }

  /** While only the broker is away, nobody comes anew who needs no more than the connection that it has. */
  #reconnected(fault: string, before: readonly number[], participants: readonly Participant[]): string[] {
    const found = participants.flatMap(({ name, isOnOneConnection, subscriber }, index) => {
      const more = subscriber.comings.connected - (before[index] ?? 0)
      return isOnOneConnection && more > 0 ? [`${fault}: ${name} has connected ${more} more times`] : []
    })
    if (found.length === 0) return []
    const ends = [...this.nodes.log.matchAll(/^\{.*"msg":"client_disconnected"\}$/gmu)].map(
      ([line]) => JSON.parse(line) as { time: number; code: string; transport: string },
    )
    const words = ends
      .sort((one, other) => one.time - other.time)
      .slice(-SHOWN_ENDS)
      .map(({ time, code, transport }) => `${new Date(time).toISOString().slice(11, -1)} ${code} over ${transport}`)
    return [...found, `the nodes' last words to clients: ${words.join(', ')}`]
  }

  #judge(
    streams: readonly Stream[],
    participants: readonly Participant[],
    report: PublishingReport,
  ): Pick<PlayOutcome, 'counts' | 'problems'> {
    const { acknowledged, refused, problems } = report
    const counts: PlayCounts = {
      acknowledged,
      refused,
      delivered: 0,
      recovered: 0,
      lost: 0,
      connected: 0,
      resumed: 0,
      begunAnew: 0,
    }
    for (const { name, subscriber } of participants) {
      counts.connected += subscriber.comings.connected
      counts.resumed += subscriber.comings.resumed
      counts.begunAnew += subscriber.comings.begunAnew
      problems.push(...subscriber.problems.map((problem) => `${name}: ${problem}`))
      for (const stream of streams) {
        const told = subscriber.told.get(stream) ?? []
        const { violations, ...sums } = judge(told, stream.journal, stream.promised)
        counts.delivered += sums.delivered
        counts.recovered += sums.recovered
        counts.lost += sums.lost
        const documents = stream.isState ? judgeDocument(told, stream.journal) : []
        for (const { kind, message } of [...violations, ...documents])
          problems.push(`${name}, ${stream.name}: ${kind}: ${message}`)
      }
    }
    return { counts, problems }
  }
}

/** Connections that each client has made. */
const connections = (participants: readonly Participant[]): readonly number[] =>
  participants.map(({ subscriber }) => subscriber.comings.connected)
