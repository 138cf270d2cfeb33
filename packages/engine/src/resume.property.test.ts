import type { Position, ServerMessage } from '@fusewire/protocol'
import { FakeEnvironment, MemoryConnection, turn } from '@fusewire/testkit'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Engine } from './engine.ts'
import { MemoryBroker } from './memory/memory-broker.ts'
import { MemoryPresence } from './memory/memory-presence.ts'
import type { Awaitable, Broker, HistoryPage, HistoryQuery } from './ports/broker.ts'
import { RpcRouter } from './rpc-router.ts'
import { DEVELOPMENT_RULE } from './rule.ts'
import { RuleBook } from './rule-book.ts'

const CHANNEL = 'room:1'

/** A broker whose answers come some turns after it has read, and which reads some turns after it was asked. */
class LateBroker extends MemoryBroker implements Broker {
  #asked = 0

  override history(channel: string, query: HistoryQuery): HistoryPage {
    const before = this.#asked++ % 3
    const late = async (): Promise<HistoryPage> => {
      for (let turns = 0; turns < before; turns++) await turn()
      const page = super.history(channel, query)
      for (let turns = 0; turns < 2; turns++) await turn()
      return page
    }
    return late() as Awaitable<HistoryPage> as HistoryPage
  }
}

/**
 * The model: a client that believes only what it has read. It knows its position and the values after it, and checks every step:
 * the next offset is the last one plus one, or the server has said that something is missing.
 */
class Reader {
  readonly values: number[] = []
  missing = 0
  #position: Position | undefined
  #resume: string | undefined
  #connection: MemoryConnection | undefined
  #read = 0

  get isOpen(): boolean {
    return this.#connection !== undefined
  }

  open(engine: Engine): void {
    const connection = new MemoryConnection((opened) => engine.open(opened))
    this.#connection = connection
    this.#read = 0
    const since = this.#position
    connection.say({
      type: 'connect',
      ...(this.#resume !== undefined && { resume: this.#resume }),
      subscriptions: [{ channel: CHANNEL, ...(since && { since }) }],
    })
  }

  /** Reads what has been sent; the rest is lost when the line is cut before it is read. */
  read(count: number): void {
    const messages = this.#connection?.received.slice(this.#read, this.#read + count) ?? []
    this.#read += messages.length
    for (const message of messages) this.#take(message)
  }

  cut(): void {
    this.#connection?.cut()
    this.#connection = undefined
  }

  #take(message: ServerMessage): void {
    if (message.type === 'connected') this.#resume = message.resume
    if (message.type === 'subscribed') {
      if (message.recovered === false) this.missing++
      // Without everything since the last position the client starts afresh from where the server says.
      if (message.recovered !== true || !this.#position) this.#position = message.position
      for (const { offset, data } of message.publications ?? []) this.#next(offset, data)
    }
    if (message.type === 'publication') this.#next(message.offset, message.data)
  }

  #next(offset: number, data: unknown): void {
    if (!this.#position) throw new Error('a publication before subscribed')
    expect(offset).toBe(this.#position.offset + 1)
    this.#position = { epoch: this.#position.epoch, offset }
    this.values.push(data as number)
  }
}

type Step = { readonly do: 'publish' | 'open' | 'read' | 'cut' | 'wait' | 'turn'; readonly count: number }

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('publish', 'publish', 'open', 'open', 'read', 'read', 'turn', 'turn', 'cut', 'wait'),
  count: fc.integer({ min: 1, max: 6 }),
})

const newEngine = async (
  broker: (environment: FakeEnvironment) => Broker,
  historySize: number,
): Promise<[Engine, FakeEnvironment]> => {
  const environment = new FakeEnvironment()
  const engine = new Engine({
    broker: broker(environment),
    presence: new MemoryPresence(),
    authenticator: {
      authenticate: async () => ({ capabilities: [], channels: [] }),
      authorizeChannel: async (_, channel) => ({ channel }),
    },
    environment,
    rules: new RuleBook({ ...DEVELOPMENT_RULE, historySize }),
    rpc: new RpcRouter(),
    limits: {
      pingIntervalMs: 25_000,
      pongTimeoutMs: 5000,
      connectTimeoutMs: 10_000,
      sessionTtlMs: 5000,
      maxBadMessages: 10,
      maxPendingRequests: 100,
      maxChannelsPerSession: 10,
    },
    log: () => undefined,
    node: { node: 'test', version: '0' },
  })
  await engine.start()
  return [engine, environment]
}

for (const [name, broker] of [
  ['a broker that answers at once', (environment: FakeEnvironment) => new MemoryBroker(environment)],
  ['a broker that answers late', (environment: FakeEnvironment) => new LateBroker(environment)],
] as const) {
  it(`delivers in order, without gap or duplicate, over any cuts, or says what is missing: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 80 }),
        fc.integer({ min: 3, max: 40 }),
        async (steps, historySize) => {
          const [engine, environment] = await newEngine(broker, historySize)
          const reader = new Reader()
          let published = 0
          reader.open(engine)
          for (let turns = 0; turns < 6; turns++) await turn()
          reader.read(2)
          for (const { do: what, count } of steps) {
            if (what === 'publish') for (let n = 0; n < count; n++) engine.publish(CHANNEL, { data: ++published })
            if (what === 'read') reader.read(count)
            if (what === 'cut') reader.cut()
            if (what === 'open' && !reader.isOpen) reader.open(engine)
            if (what === 'wait') {
              environment.advance(count * 500)
              engine.tick()
            }
            if (what === 'turn') await turn()
          }
          if (!reader.isOpen) reader.open(engine)
          for (let turns = 0; turns < 6; turns++) await turn()
          engine.publish(CHANNEL, { data: ++published })
          reader.read(Number.POSITIVE_INFINITY)
          // In order and without duplicates, up to the last one; and complete unless the server has said otherwise.
          expect(reader.values).toEqual([...new Set(reader.values)].sort((a, b) => a - b))
          expect(reader.values.at(-1)).toBe(published)
          if (reader.missing === 0) expect(reader.values).toHaveLength(published)
        },
      ),
      { numRuns: 400 },
    )
  })
}
