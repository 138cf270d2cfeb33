import type { ClientMessage, Publication } from '@fusewire/protocol'
import { EngineHarness, FakeHooks, HeldCalls, type MemoryConnection, plainAuthenticator, turn } from '@fusewire/testkit'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { HistoryPage } from './ports/broker.ts'

const CHANNEL = 'open:a'
const CLIENTS = 3

/** Clients of two users, an application that takes its time, and somebody who takes tokens and sessions away. */
class World {
  readonly hooks = new FakeHooks()
  readonly held = new HeldCalls()
  readonly harness: EngineHarness
  readonly clients: MemoryConnection[]
  readonly #all: Set<MemoryConnection>
  /** Sessions that have been ended, and the offset then: nothing of theirs may come after it. */
  readonly #ended = new Map<string, number>()
  #published = 0

  private constructor(harness: EngineHarness, hooks: FakeHooks, held: HeldCalls) {
    this.harness = harness
    this.hooks = hooks
    this.held = held
    this.clients = Array.from({ length: CLIENTS }, () => harness.open())
    this.#all = new Set(this.clients)
  }

  static async start(): Promise<World> {
    const hooks = new FakeHooks()
    const held = new HeldCalls()
    for (const event of ['connect', 'refresh', 'subscribe', 'publish', 'rpc'] as const)
      hooks.decisions[event] = () => ({ decision: 'allow' })
    const authenticator = held.of(plainAuthenticator, 'authenticate', 'authorizeChannel')
    const harness = await EngineHarness.start({ hooks: held.of(hooks, 'ask'), authenticator })
    return new World(harness, hooks, held)
  }

  reopen(at: number): void {
    const client = this.harness.open()
    this.clients[at]?.cut()
    this.clients[at] = client
    this.#all.add(client)
  }

  say(at: number, message: ClientMessage): void {
    this.clients[at]?.say(message)
  }

  resume(at: number, token: string | undefined): void {
    const secret = [...this.#all].flatMap((client) => client.all('connected')).at(-1)?.resume
    this.say(at, { type: 'connect', ...(secret !== undefined && { resume: secret }), ...(token !== undefined && { token }) })
  }

  /** Takes away everything that `user` has now. */
  async takeAway(user: string, how: 'revoke' | 'disconnect'): Promise<void> {
    const theirs = [...this.#all].flatMap((client) => client.all('connected')).filter((connected) => connected.user === user)
    if (how === 'disconnect') this.harness.engine.disconnectUser({ user })
    else await this.harness.engine.revoke({ user })
    const { position } = this.#history()
    for (const { session } of theirs) if (!this.#ended.has(session)) this.#ended.set(session, position.offset)
  }

  publish(at: number): void {
    this.say(at, { type: 'publish', channel: CHANNEL, data: ++this.#published })
  }

  expectGood(): void {
    this.#expectNothingOfTheEnded(this.#history().publications)
    for (const client of this.#all) {
      const types = client.received.map(({ type }) => type)
      if (types.includes('disconnect')) expect(types.indexOf('disconnect')).toBe(types.length - 1)
    }
    const { connections, sessions, detachedSessions } = this.harness.engine.stats()
    expect(connections).toBe([...this.#all].filter(({ isOpen }) => isOpen).length)
    expect(sessions - detachedSessions).toBeLessThanOrEqual(connections)
  }

  async expectGoodEnd(): Promise<void> {
    for (const client of this.#all) client.cut()
    this.held.holding = 'nothing'
    // What is let go may ask again.
    for (let n = 0; n < 20; n++) {
      this.held.release()
      await turn()
    }
    this.expectGood()
    this.harness.advance(61_000)
    await turn()
    const nothing = { connections: 0, sessions: 0, detachedSessions: 0, subscriptions: 0, channels: 0 }
    expect(this.harness.engine.stats()).toMatchObject(nothing)
    expect(await this.harness.engine.presence(CHANNEL)).toEqual([])
    this.#expectOrder(this.#history().publications)
  }

  /** In this turn: the broker in memory answers at once. */
  #history(): HistoryPage {
    return this.harness.engine.history(CHANNEL, { limit: 1000 }) as HistoryPage
  }

  #expectNothingOfTheEnded(publications: readonly Omit<Publication, 'channel'>[]): void {
    for (const { offset, sender } of publications) {
      const end = sender && this.#ended.get(sender.session)
      if (end !== undefined) expect(offset, `of ${sender?.session}, which had ended at ${end}`).toBeLessThanOrEqual(end)
    }
  }

  /** One session's publications are in the order in which it sent them. */
  #expectOrder(publications: readonly Omit<Publication, 'channel'>[]): void {
    const last = new Map<string, number>()
    for (const { data, sender } of publications) {
      const of = sender?.session ?? ''
      expect(data).toBeGreaterThan(last.get(of) ?? 0)
      last.set(of, data as number)
    }
  }
}

const acts: readonly ((world: World, at: number) => unknown)[] = [
  (world, at) => world.reopen(at),
  (world, at) => world.clients[at]?.cut(),
  (world, at) => world.say(at, { type: 'connect', token: 'ann' }),
  (world, at) => world.say(at, { type: 'connect', token: 'bob', subscriptions: [{ channel: CHANNEL }] }),
  (world, at) => world.resume(at, undefined),
  (world, at) => world.resume(at, 'ann'),
  (world, at) => world.say(at, { type: 'refresh', id: 1, token: 'ann' }),
  (world, at) => world.say(at, { type: 'subscribe', id: 2, channel: CHANNEL, presence: true }),
  (world, at) => world.say(at, { type: 'subscribe', id: 3, channel: 'secret:b', token: 'ann>secret:b' }),
  (world, at) => world.say(at, { type: 'unsubscribe', id: 4, channel: CHANNEL }),
  (world, at) => world.publish(at),
  (world, at) => world.publish(at),
  (world, at) => world.say(at, { type: 'rpc', id: 5, method: 'any' }),
  (world, at) => world.say(at, { type: 'disconnect' }),
  (world) => world.takeAway('ann', 'revoke'),
  (world) => world.takeAway('bob', 'disconnect'),
  (world) => world.harness.advance(1000),
  (world) => {
    world.held.holding = 'calls'
  },
  (world) => {
    world.held.holding = 'answers'
  },
  (world) => {
    world.held.holding = 'nothing'
  },
  (world, at) => world.held.release(at + 1),
  (world) => world.held.release(),
]

const script = fc.array(fc.record({ act: fc.nat(acts.length - 1), at: fc.nat(CLIENTS - 1), turns: fc.nat(2) }), {
  maxLength: 80,
})

it('[L5] [L8] nothing is done for a session that has ended, whatever was asked for it before', async () => {
  await fc.assert(
    fc.asyncProperty(script, async (steps) => {
      const world = await World.start()
      for (const { act, at, turns } of steps) {
        await acts[act]?.(world, at)
        for (let n = 0; n < turns; n++) await turn()
        world.expectGood()
      }
      await world.expectGoodEnd()
    }),
    { numRuns: 60 },
  )
})
