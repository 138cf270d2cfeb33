import {
  type CallFate,
  EngineCluster,
  eventually,
  Fates,
  Journal,
  latePresence,
  lateSessions,
  type MemoryConnection,
  ModelClient,
  type NodeLine,
  PresenceWatcher,
  turn,
} from '@fusewire/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Awaitable } from './ports/broker.ts'
import type { SessionStore } from './ports/session-store.ts'
import { DEVELOPMENT_RULE } from './rule.ts'

const CHANNELS = ['room:1', 'room:2']
const SESSION_TTL_MS = 5000
const PRESENCE_TTL_MS = 20_000
/** Turns after which every call has its answer: several of the latest calls, one after another. */
const MAX_LATENESS = 30
/** What takes longer, shrinking a failure most of all, ends with its seed. */
const TIME_LIMIT_MS = 110_000

const client = fc.nat(2)
const channel = fc.constantFrom(...CHANNELS)
const count = fc.constantFrom(1, 2, 3, 6)
/** The first node always runs: somebody watches there. */
const anyNode = fc.nat(2)
const frailNode = fc.constantFrom(1, 2)

const common = [
  { weight: 4, arbitrary: fc.record({ do: fc.constant('publish' as const), channel, count }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turn' as const), count }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(250, 1000, 3000, 8000, 15_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), client, count }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('open' as const), client, node: anyNode }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const), client }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('subscribe' as const), client, channel }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), client, channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), client, channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('disconnect' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('due' as const), node: anyNode, count }) },
] as const
const deaths = [
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), node: frailNode }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replace' as const), node: frailNode }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stop' as const), node: frailNode }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wake' as const), node: frailNode }) },
] as const
const outages = [
  { weight: 2, arbitrary: fc.record({ do: fc.constant('away' as const), node: frailNode }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('back' as const), node: frailNode }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
] as const

const calmStep = fc.oneof(...common)
const roughStep = fc.oneof(...common, ...deaths)
const anyStep = fc.oneof(...common, ...deaths, ...outages)
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never

interface Weather {
  /** Of the calls of the stores; at once without. */
  readonly fates: readonly CallFate[] | undefined
  /** Whether what nodes tell of presence may be lost: what one was about to tell when it died, nobody tells. */
  readonly isRough: boolean
}

interface Parts {
  readonly cluster: EngineCluster
  readonly fates: Fates
  readonly journal: Journal
  readonly watcher: PresenceWatcher
  readonly kept: Set<string>
  readonly removedBy: Map<string, NodeLine>
  readonly isStrict: boolean
}

/** Three clients in two channels of a cluster, and a watcher who is always there. */
class Run {
  readonly #cluster: EngineCluster
  readonly #fates: Fates
  readonly #journal: Journal
  readonly #watcher: PresenceWatcher
  readonly #clients: readonly ModelClient[]
  /** Which node a client's next connection is to. */
  readonly #at = [0, 0, 0]
  /** Of each name, the node that has it now: those that have died are replaced. */
  readonly #indexOf = [0, 1, 2]
  /** Times that a node died, stood still or was cut off. */
  #broken = 0
  #hasForgotten = false
  /** Sessions that were put and that no store has lost. */
  readonly #kept: Set<string>
  /** Which node has ended a session. */
  readonly #removedBy: Map<string, NodeLine>

  readonly #isStrict: boolean

  private constructor({ cluster, fates, journal, watcher, kept, removedBy, isStrict }: Parts) {
    this.#cluster = cluster
    this.#fates = fates
    this.#journal = journal
    this.#watcher = watcher
    this.#kept = kept
    this.#removedBy = removedBy
    this.#isStrict = isStrict
    this.#clients = this.#at.map((_, client) => new ModelClient(this.#wayOf(client), journal))
  }

  static async start({ fates: callFates, isRough }: Weather): Promise<Run> {
    const rule = { ...DEVELOPMENT_RULE, historySize: 20 }
    const fates = new Fates(callFates ?? [])
    const kept = new Set<string>()
    const removedBy = new Map<string, NodeLine>()
    let watched: NodeLine | undefined
    fates.areCalm = true
    const cluster = await EngineCluster.start({
      nodes: 3,
      rules: { 'room:*': rule },
      limits: { sessionTtlMs: SESSION_TTL_MS, maxPendingRequests: 1000 },
      presenceTtlMs: PRESENCE_TTL_MS,
      through: {
        sessions: (store, line) => {
          const recorded: SessionStore = {
            ...store,
            remove: (ids) => {
              const ended = now(store.remove(ids))
              for (const id of ended) removedBy.set(id, line)
              return ended
            },
            put: (records, ttlMs) => {
              const lost = now(store.put(records, ttlMs))
              for (const { id } of records) if (!lost.includes(id)) kept.add(id)
              return lost
            },
          }
          // Where somebody watches, sessions can always be refreshed.
          watched ??= line
          return callFates && line !== watched ? lateSessions(recorded, fates) : recorded
        },
        ...(callFates && { presence: (presence) => latePresence(presence, fates) }),
      },
    })
    cluster.hooks.wanted.add('disconnect').add('unsubscribe')
    const watcher = await PresenceWatcher.open(cluster.node(0).harness, CHANNELS, { isStrict: !isRough })
    fates.areCalm = false
    return new Run({ cluster, fates, journal: new Journal(rule), watcher, kept, removedBy, isStrict: !isRough })
  }

  async take(step: Step): Promise<void> {
    const cluster = this.#cluster
    switch (step.do) {
      case 'publish':
        for (let n = 0; n < step.count; n++) this.#journal.publish(cluster.node(0).harness.engine, step.channel, 'x')
        return
      case 'turn':
        for (let n = 0; n < step.count; n++) await turn()
        return
      case 'wait':
        return this.#wait(step.ms)
      case 'due':
        // Told late, in vain, or again and again.
        for (let n = 0; n < step.count; n++) cluster.node(this.#index(step.node)).line.tellDue()
        return
      case 'forget':
        this.#hasForgotten = true
        this.#kept.clear()
        cluster.sessions.forget()
        return
      case 'kill':
        this.#broken++
        cluster.kill(this.#index(step.node))
        return
      case 'replace':
        this.#broken++
        cluster.kill(this.#index(step.node))
        this.#indexOf[step.node] = cluster.nodes.length
        await cluster.add()
        return
      case 'stop':
        this.#broken++
        cluster.stop(this.#index(step.node))
        return
      case 'wake':
        cluster.wake(this.#index(step.node))
        return
      case 'away':
      case 'back': {
        this.#broken++
        const { line } = cluster.node(this.#index(step.node))
        if (line.state === (step.do === 'away' ? 'fine' : 'away')) line.become(step.do === 'away' ? 'away' : 'fine')
        return
      }
      default:
        this.#act(step, this.#client(step.client))
    }
  }

  #act(step: Extract<Step, { client: number }>, client: ModelClient): void {
    if (step.do === 'read') client.read(step.count)
    else if (step.do === 'open') {
      this.#at[step.client] = step.node
      client.open('every')
    } else if (step.do === 'cut') client.cut()
    else if (step.do === 'subscribe') client.subscribe(step.channel, undefined)
    else if (step.do === 'unsubscribe') client.unsubscribe(step.channel)
    else if (step.do === 'remove') client.removedByApplication(step.channel)
    else if (step.do === 'leave') client.leave()
    else client.disconnectedByApplication()
  }

  /** Whoever is there shows it. */
  async #wait(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1000) {
      this.#watcher.ping()
      for (const client of this.#clients) client.ping()
      await this.#cluster.advance(Math.min(1000, ms - passed))
    }
  }

  /** Once the weather is fine: everyone has everything, every session is one node's, and who has gone was said to have gone. */
  async expectGoodEnd(): Promise<void> {
    const cluster = this.#cluster
    this.#fates.areCalm = true
    for (const { line } of cluster.nodes) if (line.state === 'away') line.become('fine')
    for (const index of cluster.nodes.keys()) cluster.wake(index)
    // Nodes find out what they have lost, channels that could not be read are read again, and answers come.
    await this.#wait(SESSION_TTL_MS)
    await this.#settle()
    for (const client of this.#clients) {
      client.cutForgotten()
      client.read()
    }
    for (let round = 0; round < 3; round++) {
      // One that comes to a node which has just lost its session is sent on.
      for (const [index, client] of this.#clients.entries()) {
        if (client.isOpen) continue
        this.#at[index] = 0
        client.open('every')
      }
      await this.#wait(1000)
      await this.#settle()
    }
    for (const channel of CHANNELS) this.#journal.publish(cluster.node(0).harness.engine, channel, 'x')
    await this.#settle()
    for (const client of this.#clients) {
      client.read()
      expect(client.isOpen).toBe(true)
      client.expectComplete()
    }
    // Whoever has gone for good is swept, and presence that nobody refreshes ends.
    await this.#wait(3 * SESSION_TTL_MS + PRESENCE_TTL_MS + 10_000)
    const running = cluster.nodes.filter(({ line }) => line.state !== 'dead').map(({ harness }) => harness.engine)
    const alive = [this.#watcher.session, ...this.#clients.flatMap(({ session }) => session ?? [])]
    const sum = (of: (engine: (typeof running)[number]) => number): number =>
      running.map(of).reduce((total, value) => total + value, 0)
    expect(sum((engine) => engine.stats().sessions)).toBe(alive.length)
    expect(cluster.sessions.size).toBe(alive.length)
    for (const channel of CHANNELS) {
      const members = (await cluster.presence.node().list(channel)).map(({ session }) => session)
      expect(sum((engine) => engine.channels(channel).reduce((total, { subscribers }) => total + subscribers, 0))).toBe(
        members.length,
      )
      expect(members.filter((session) => !alive.includes(session))).toEqual([])
      const seen = [...this.#watcher.present(channel)].sort()
      if (this.#isStrict) expect(seen).toEqual(members.sort())
    }
    this.#expectNotices(alive)

    for (const one of [...this.#clients, this.#watcher]) one.cut()
    await cluster.advance(SESSION_TTL_MS + 2000)
    expect(sum((engine) => engine.stats().sessions + engine.stats().subscriptions + engine.stats().connections)).toBe(0)
    expect(cluster.sessions.size).toBe(0)
    for (const channel of CHANNELS) expect(await cluster.presence.node().list(channel)).toEqual([])
    this.#expectNotices([])
  }

  /** What a node was about to tell, or does not know whether it may, another one may have told. */
  get #mayRepeat(): boolean {
    return this.#broken > 0 || this.#fates.haveRefused
  }

  /** The end of each session that has ended is told, and of no other; told again, it is the same event. */
  #expectNotices(alive: readonly string[]): void {
    const ids = new Map<string, string[]>()
    for (const { session = '', id } of this.#cluster.hooks.of('disconnect')) ids.set(session, [...(ids.get(session) ?? []), id])
    // With the traces of what has ended, a store that comes back empty has lost that it did.
    if (!this.#hasForgotten) expect(alive.filter((session) => ids.has(session))).toEqual([])
    const missing = [...this.#kept].filter((session) => !ids.has(session) && !alive.includes(session))
    // A node that dies after the store has said that the session ends, and before it has told of it, takes that along.
    expect(missing.filter((session) => this.#removedBy.get(session)?.state !== 'dead')).toEqual([])
    for (const told of ids.values()) {
      expect(new Set(told).size).toBe(1)
      if (!this.#mayRepeat) expect(told).toHaveLength(1)
    }
  }

  /** Every call and request gets its answer. */
  async #settle(): Promise<void> {
    for (let n = 0; n < MAX_LATENESS; n++) await turn()
    await eventually(() => {
      for (const client of this.#clients) {
        client.read()
        expect(client.unanswered).toEqual([])
      }
    })
  }

  #client(index: number): ModelClient {
    const found = this.#clients[index]
    if (!found) throw new Error(`there is no client ${index}`)
    return found
  }

  #index(node: number): number {
    return this.#indexOf[node] ?? 0
  }

  #wayOf(client: number) {
    const nodeOf = new Map<MemoryConnection, number>()
    const cluster = this.#cluster
    return {
      open: () => {
        const index = this.#index(this.#at[client] ?? 0)
        const connection = cluster.open(index)
        nodeOf.set(connection, index)
        return connection
      },
      say: (connection: MemoryConnection, message: Parameters<MemoryConnection['say']>[0]) =>
        cluster.say(nodeOf.get(connection) ?? 0, connection, message),
      cut: (connection: MemoryConnection) => cluster.cut(nodeOf.get(connection) ?? 0, connection),
      get engines() {
        return cluster.nodes.filter(({ line }) => line.state === 'fine').map(({ harness }) => harness.engine)
      },
    }
  }
}

/** What a store in memory answers. */
const now = <T>(answer: Awaitable<T>): T => {
  if (answer instanceof Promise) throw new Error('a store in memory answers at once')
  return answer
}

const turns = { before: fc.nat(2), after: fc.nat(3) }
const fate = fc.record({ ...turns, refused: fc.constant(false) })
const badFate = fc.record({ ...turns, refused: fc.boolean() })
const fates = (one: fc.Arbitrary<CallFate>) => fc.array(one, { minLength: 1, maxLength: 12 })

const weathers = [
  ['nodes that stay, and stores that answer at once', calmStep, fc.constant(undefined), false],
  ['stores that answer at once', roughStep, fc.constant(undefined), true],
  ['stores that answer late', roughStep, fates(fate), true],
  ['stores that answer late or not at all, or come back empty, and nodes that are cut off', anyStep, fates(badFate), true],
] as const

describe('[L20] [L21] [L23] [L24] clients that move between nodes which die, stand still and wake', () => {
  it.each(weathers)(
    'miss nothing unawares, are on one node each, and go once: %s',
    async (_, step, callFates, isRough) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step as fc.Arbitrary<Step>, { minLength: 5, maxLength: 60 }),
          callFates,
          async (steps, fatesOfCalls) => {
            const run = await Run.start({ fates: fatesOfCalls, isRough })
            await run.take({ do: 'open', client: 0, node: 1 })
            await run.take({ do: 'subscribe', client: 0, channel: 'room:1' })
            for (const each of steps) await run.take(each)
            await run.expectGoodEnd()
          },
        ),
        { numRuns: 50, interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: true },
      )
    },
    TIME_LIMIT_MS + 10_000,
  )
})
