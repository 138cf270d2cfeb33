import { setTimeout as delay } from 'node:timers/promises'
import type { FusewireInput } from '@fusewire/server'
import { eventually, type Random } from '@fusewire/testkit'
import { Api } from '../api.ts'
import { judgeDocument } from '../faults/document.ts'
import { judge } from '../faults/judge.ts'
import { createStreams, RULES, type Stream } from '../faults/stream.ts'
import type { Place, Told } from '../faults/told.ts'
import { HOOK_SECRET, HookServer } from '../hook-backend.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { BROKER_TIMEOUT_MS, type BrokerServers } from './broker-servers.ts'
import type { ClusterFault } from './faults.ts'
import { freshFetch, openField, type Participant } from './field.ts'
import { ClusterNodes } from './nodes.ts'
import { type PublishingReport, publishAll, publishSurely } from './publishing.ts'

/** Longer than a node takes to be noticed as gone by its clients, and shorter than the longest time that one stands still. */
export const SESSION_TTL_MS = 6_500

/** From the last fault until everyone has everything: back-off, TTLs and the sweep included. */
const SETTLE_TIMEOUT_MS = 30_000

/** Until a publication that was made after the fault has reached everyone, before another one is tried. */
const MARK_TIMEOUT_MS = 8_000

const REQUEST_TIMEOUT_MS = 4_000

/** How soon clients notice that a node stands still. */
export const PONG_TIMEOUT_MS = 4_000

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

/** Where a subscriber stands in a stream. */
const placeOf = (told: readonly Told[]): Place | undefined => {
  const at = told.findLastIndex(({ kind }) => kind === 'subscribed')
  const subscribed = told[at]
  if (subscribed?.kind !== 'subscribed') return undefined
  const last = told.at(-1)
  return { epoch: subscribed.position.epoch, offset: last?.kind === 'publication' ? last.offset : subscribed.position.offset }
}

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

export interface PlayOutcome {
  readonly counts: PlayCounts
  readonly problems: readonly string[]
}

/** Nodes over a broker, in which something is published all the time, and clients that follow it, whatever befalls them. */
export class Play implements AsyncDisposable {
  readonly nodes: ClusterNodes
  readonly #hooks: HookServer
  readonly #random: Random
  readonly #api: Api
  readonly #closeApi: () => Promise<void>

  private constructor(nodes: ClusterNodes, hooks: HookServer, random: Random, base: string) {
    this.nodes = nodes
    this.#hooks = hooks
    this.#random = random
    const { send, close } = freshFetch(REQUEST_TIMEOUT_MS)
    this.#api = new Api(base, undefined, send)
    this.#closeApi = close
  }

  static async start(count: number, broker: BrokerServers, random: Random, pongTimeoutMs = PONG_TIMEOUT_MS): Promise<Play> {
    const hooks = await HookServer.start('HTTP/1.1')
    try {
      const nodes = await ClusterNodes.start(count, broker, options(hooks, pongTimeoutMs), random.fork())
      return new Play(nodes, hooks, random.fork(), (await nodes.entrance()).http)
    } catch (error) {
      await hooks[Symbol.asyncDispose]()
      throw error
    }
  }

  /**
   * New clients on new channels go through these faults, one after the other, each at a random moment. After each of them everyone has
   * to have everything again; in the end presence has to be who is there, and each session's end to have been told once.
   */
  async round(name: string, clients: number, faults: readonly ClusterFault[]): Promise<PlayOutcome> {
    const random = this.#random.fork()
    const streams = createStreams(name)
    const participants = await openField(clients, () => this.nodes.entrance(), streams, random)
    const problems: string[] = []
    const report: PublishingReport = { acknowledged: 0, refused: 0, problems }
    try {
      await this.#settle('the beginning', streams, participants, report)
      for (const fault of faults) {
        const stop = new AbortController()
        const publishing = publishAll(this.#api, streams, participants, random, report, stop.signal)
        let before = connections(participants)
        try {
          await delay(random.integer(100, 700))
          before = connections(participants)
          await fault.strike(this.nodes, random)
          await delay(random.integer(100, 400))
        } finally {
          stop.abort()
          await publishing
        }
        await this.#settle(fault.name, streams, participants, report)
        if (fault.isOfBroker) problems.push(...this.#reconnected(fault.name, before, participants))
        // What comes after the first thing that is wrong tells nothing more.
        if (problems.length > 0) break
      }
      if (problems.length === 0) await this.#checkPresence(streams, participants, problems)
    } catch (error) {
      problems.push((error as Error).message)
    } finally {
      await Promise.all(participants.map(({ close }) => close()))
    }
    if (problems.length === 0) await this.#checkEnds(participants, problems)
    return this.#judge(streams, participants, report)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeApi()
    await this.nodes[Symbol.asyncDispose]()
    await this.#hooks[Symbol.asyncDispose]()
  }

  /** Every node is ready, and what is published now reaches everyone. */
  async #settle(
    after: string,
    streams: readonly Stream[],
    participants: readonly Participant[],
    report: PublishingReport,
  ): Promise<void> {
    const beganAt = performance.now()
    await this.nodes.untilReady().catch(() => report.problems.push(`after ${after}: a node is not ready`))
    await Promise.all(
      streams.map(async (stream) => {
        let behind: string[] = ['it cannot be published to']
        while (behind.length > 0 && performance.now() - beganAt < SETTLE_TIMEOUT_MS) {
          const stop = AbortSignal.timeout(MARK_TIMEOUT_MS)
          const data = { after, mark: performance.now() }
          const place = await publishSurely(this.#api, stream, data, report, stop)
          if (!place) continue
          const isThere = ({ subscriber }: Participant): boolean => {
            const at = placeOf(subscriber.told.get(stream) ?? [])
            return at !== undefined && at.epoch === place.epoch && at.offset >= place.offset
          }
          await eventually(
            () => {
              behind = participants
                .filter((each) => !isThere(each))
                .map(
                  ({ name, subscriber }) =>
                    `${name} is at ${JSON.stringify(placeOf(subscriber.told.get(stream) ?? []))} of ${JSON.stringify(place)}`,
                )
              return behind.length === 0
            },
            { timeoutMs: MARK_TIMEOUT_MS, intervalMs: 10 },
          ).catch(() => undefined)
        }
        if (behind.length > 0) report.problems.push(`after ${after}, ${stream.name}: ${behind.join('; ')}`)
      }),
    )
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

  /** Each session that a client ever had has ended, and the application has been told once, whichever node it was on. */
  async #checkEnds(participants: readonly Participant[], problems: string[]): Promise<void> {
    const sessions = participants.flatMap(({ subscriber }) => subscriber.sessions)
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
    const ends = this.nodes.log.match(/.*client_disconnected.*/gu) ?? []
    return [...found, `the nodes' last words to clients: ${ends.slice(-20).join('\n')}`]
  }

  #judge(streams: readonly Stream[], participants: readonly Participant[], report: PublishingReport): PlayOutcome {
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
