import {
  type CallFate,
  EngineHarness,
  eventually,
  Fates,
  InterruptibleBroker,
  Journal,
  lateBroker,
  latePresence,
  ModelClient,
  PresenceWatcher,
  straightTo,
  turn,
} from '@fusewire/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryBroker } from './memory/memory-broker.ts'
import { MemoryPresence } from './memory/memory-presence.ts'
import { type ChannelRule, DEVELOPMENT_RULE } from './rule.ts'

const CHANNELS = ['room:1', 'room:2']
const TAGS = ['x', 'y']
const SESSION_TTL_MS = 5000
/** Turns after which every call of the application has its answer: several of the latest calls, one after another. */
const MAX_LATENESS = 20
/** What takes longer, shrinking a failure most of all, ends with its seed. */
const TIME_LIMIT_MS = 110_000

const client = fc.nat(1)
const channel = fc.constantFrom(...CHANNELS)
const count = fc.constantFrom(1, 2, 3, 6, 20)

const stepArbitrary = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), channel, tag: fc.constantFrom(...TAGS), count }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turn' as const), count }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3000 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), client, count }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), client, names: fc.constantFrom('all', 'none') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const), client }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('subscribe' as const), client, channel, filter: fc.constantFrom(undefined, 'x') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), client, channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('enter' as const), client, channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), client, channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('interrupt' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mend' as const), silently: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('removeState' as const), channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('disconnect' as const), client }) },
)
type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never

interface Parts {
  readonly broker: InterruptibleBroker
  readonly presence: MemoryPresence
  readonly fates: Fates
  readonly watcher: PresenceWatcher
  readonly journal: Journal
}

/** Two clients in two channels, and a watcher who is always there. */
class Run {
  readonly #harness: EngineHarness
  readonly #broker: InterruptibleBroker
  readonly #presence: MemoryPresence
  readonly #fates: Fates
  readonly #watcher: PresenceWatcher
  readonly #journal: Journal
  readonly #clients: readonly [ModelClient, ModelClient]

  private constructor(harness: EngineHarness, { broker, presence, fates, watcher, journal }: Parts) {
    this.#harness = harness
    this.#broker = broker
    this.#presence = presence
    this.#fates = fates
    this.#watcher = watcher
    this.#journal = journal
    const newClient = (): ModelClient => new ModelClient(straightTo(harness.engine), journal)
    this.#clients = [newClient(), newClient()]
  }

  static async start(changes: Partial<ChannelRule>, callFates: readonly CallFate[] | undefined): Promise<Run> {
    const rule = { ...DEVELOPMENT_RULE, ...changes }
    const presence = new MemoryPresence()
    const fates = new Fates(callFates ?? [])
    let broker: InterruptibleBroker | undefined
    const harness = await EngineHarness.start({
      broker: (environment) => {
        broker = new InterruptibleBroker(() => new MemoryBroker(environment))
        return callFates ? lateBroker(broker, fates) : broker
      },
      presence: callFates ? latePresence(presence, fates) : presence,
      rules: { 'room:*': rule },
      limits: { sessionTtlMs: SESSION_TTL_MS, maxPendingRequests: 1000 },
    })
    if (!broker) throw new Error('the engine has made no broker')
    fates.areCalm = true
    const watcher = await PresenceWatcher.open(harness, CHANNELS)
    fates.areCalm = false
    return new Run(harness, { broker, presence, fates, watcher, journal: new Journal(rule) })
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        for (let n = 0; n < step.count; n++) this.#journal.publish(this.#harness.engine, step.channel, step.tag)
        return
      case 'turn':
        for (let n = 0; n < step.count; n++) await turn()
        return
      case 'wait':
        this.#wait(step.ms)
        return
      case 'interrupt':
        this.#broker.cut()
        return
      case 'mend':
        this.#broker.mend(step)
        return
      case 'lose':
        for (const channel of CHANNELS) this.#journal.lose(channel)
        await this.#broker.lose()
        return
      case 'removeState':
        if (await this.#broker.removeDocument(step.channel)) this.#journal.lose(step.channel)
        return
      default:
        this.#act(step, this.#clients[step.client === 0 ? 0 : 1])
    }
  }

  #act(step: Extract<Step, { client: number }>, client: ModelClient): void {
    if (step.do === 'read') client.read(step.count)
    else if (step.do === 'open') client.open(step.names)
    else if (step.do === 'cut') client.cut()
    else if (step.do === 'subscribe') client.subscribe(step.channel, this.#journal.rule.state ? undefined : step.filter)
    else if (step.do === 'unsubscribe') client.unsubscribe(step.channel)
    else if (step.do === 'enter') client.enteredByApplication(step.channel)
    else if (step.do === 'remove') client.removedByApplication(step.channel)
    else if (step.do === 'leave') client.leave()
    else client.disconnectedByApplication()
  }

  /** Whoever is there shows it. */
  #wait(ms: number): void {
    this.#watcher.ping()
    for (const client of this.#clients) client.ping()
    this.#harness.advance(ms)
  }

  /** Whatever has happened: once the weather is fine, everyone has everything that they should, and presence is right. */
  async expectGoodEnd(): Promise<void> {
    this.#fates.areCalm = true
    this.#broker.mend()
    await this.#settle()
    // Channels that could not be read are read again.
    this.#wait(1500)
    await this.#settle()
    for (const client of this.#clients) {
      client.cutForgotten()
      if (!client.isOpen) client.open('all')
    }
    await this.#settle()
    for (const channel of CHANNELS) for (const tag of TAGS) this.#journal.publish(this.#harness.engine, channel, tag)
    // Whoever has not heard all of it before finds out by that.
    await this.#settle()
    for (const client of this.#clients) {
      client.read()
      client.expectComplete()
    }
    // Sessions that nobody will come back for end, and take their presence with them.
    for (let passed = 0; passed <= SESSION_TTL_MS; passed += 1000) this.#wait(1000)
    // That they have gone is told after the store has said so.
    await this.#settle()
    const { engine } = this.#harness
    for (const channel of CHANNELS) {
      const present = this.#watcher.present(channel)
      expect(
        this.#presence
          .list(channel)
          .map(({ session }) => session)
          .sort(),
      ).toEqual([...present].sort())
      expect(engine.channels(channel)).toEqual([{ channel, subscribers: present.length }])
    }

    for (const one of [...this.#clients, this.#watcher]) one.cut()
    this.#harness.advance(SESSION_TTL_MS + 1000)
    expect(engine.stats()).toMatchObject({ connections: 0, sessions: 0, detachedSessions: 0, subscriptions: 0, channels: 0 })
    for (const channel of CHANNELS) expect(this.#presence.list(channel)).toEqual([])
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
}

const turns = { before: fc.nat(2), after: fc.nat(3) }
const fate = fc.record({ ...turns, refused: fc.constant(false) })
const badFate = fc.record({ ...turns, refused: fc.boolean() })
const fates = (one: fc.Arbitrary<CallFate>) => fc.array(one, { minLength: 1, maxLength: 12 })

const stores = [
  ['at once', fc.constant(undefined)],
  ['late', fates(fate)],
  ['late or not at all', fates(badFate)],
] as const

const modes: readonly (readonly [string, Partial<ChannelRule>])[] = [
  ['[S5] [S6] [S13] everything', {}],
  ['[S11] the newest', { recovery: 'latest' }],
  ['[S12] nothing', { recovery: 'none' }],
  ['[D1] [D2] [D5] the document', { state: true }],
]

describe.each(modes)('%s for one that recovers', (_, changes) => {
  it.each(stores)(
    'comes in order, without gap or duplicate, or it is said what is missing: stores that answer %s',
    async (_, callFates) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(stepArbitrary, { minLength: 10, maxLength: 80 }),
          fc.integer({ min: 3, max: 40 }),
          callFates,
          async (steps, historySize, fatesOfCalls) => {
            const run = await Run.start({ ...changes, historySize }, fatesOfCalls)
            await run.take({ do: 'open', client: 0, names: 'all' })
            await run.take({ do: 'subscribe', client: 0, channel: 'room:1', filter: undefined })
            for (const step of steps) await run.take(step)
            await run.expectGoodEnd()
          },
        ),
        { numRuns: 150, interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: true },
      )
    },
    TIME_LIMIT_MS + 10_000,
  )
})
