import { setTimeout as delay } from 'node:timers/promises'
import type { Channel, ClientError, FusewireClient } from '@fusewire/client'
import { eventually, FaultProxy, Random } from '@fusewire/testkit'
import { describe, expect } from 'vitest'
import type { Api } from './api.ts'
import type { FusewireProcess } from './fusewire-process.ts'
import { judge, PublishedModel, type Told } from './resume-model.ts'
import { codecOf, sdkClient } from './sdk-client.ts'
import { serverTest } from './server-test.ts'
import { DEVELOPMENT } from './server-variants.ts'

/** `FUSEWIRE_SEED` repeats the choices of a run, though not its timing. */
const SEED = Number(process.env.FUSEWIRE_SEED ?? Date.now() % 1_000_000)
const BUDGET_MS = Number(process.env.FUSEWIRE_PROPERTY_MS ?? 20_000)
const ROUND_MS = 2_000
const CLIENTS = 5
const SESSION_TTL_MS = 400
const HISTORY = { long: 10_000, short: 8 } as const
const TRANSPORTS = ['websocket', 'stream', 'sse', 'poll', 'auto'] as const

const open = { subscribe: 'anyone', publish: 'anyone', history: 'anyone' } as const
const it = serverTest({
  ...DEVELOPMENT,
  // Shorter than some breaks: a session that is gone must not take the position with it.
  sessionTtlMs: SESSION_TTL_MS,
  rules: [
    { pattern: 'long:*', historySize: HISTORY.long, ...open },
    { pattern: 'short:*', historySize: HISTORY.short, ...open },
  ],
})

/** A channel with what was published to it. */
interface Stream {
  readonly name: string
  readonly historySize: number
  readonly published: PublishedModel
}

/** Does something again and again, until it is stopped. */
type Fiber = (isStopped: () => boolean) => Promise<void>

class Subscriber {
  readonly client: FusewireClient
  readonly line: FaultProxy
  readonly told = new Map<Stream, Told[]>()
  /** Reconnections that found the session, and those that came too late. */
  resumed = 0
  begunAnew = 0
  readonly #channels = new Map<Stream, Channel>()

  private constructor(client: FusewireClient, line: FaultProxy) {
    this.client = client
    this.line = line
    let isFirst = true
    client.on('message', (message) => {
      if (message.type !== 'connected') return
      if (message.resumed) this.resumed++
      else if (!isFirst) this.begunAnew++
      isFirst = false
    })
  }

  static async start(server: FusewireProcess, streams: readonly Stream[], random: Random): Promise<Subscriber> {
    const scheme = random.pick(['https', 'http'])
    const line = await FaultProxy.start(scheme === 'https' ? server.httpsPort : server.httpPort)
    const client = sdkClient(`${scheme}://localhost:${line.port}`, codecOf(random.pick(['json', 'msgpack'])))
    client.useTransport(random.pick(TRANSPORTS))
    const subscriber = new Subscriber(client, line)
    await Promise.all(streams.map((stream) => subscriber.#subscribe(stream)))
    return subscriber
  }

  async #subscribe(stream: Stream): Promise<void> {
    const told: Told[] = []
    const channel = this.client.channel(stream.name)
    this.told.set(stream, told)
    this.#channels.set(stream, channel)
    channel.on('subscribed', (event) => told.push({ kind: 'subscribed', event }))
    channel.on('publication', (publication) => told.push({ kind: 'publication', publication }))
    await channel.subscribe()
  }

  /** Publishes; the line may break before the answer comes, and stay broken for too long to try again. */
  async publish(stream: Stream, data: unknown): Promise<void> {
    try {
      const answer = await this.client.channel(stream.name).publish(data)
      stream.published.add(answer.position.offset, data)
    } catch (error) {
      if ((error as ClientError).code !== 'timeout') throw error
      stream.published.addUnsure(data)
    }
  }

  /** The last offset that it has been told of. */
  at(stream: Stream): number {
    return this.#channels.get(stream)?.position?.offset ?? 0
  }

  /** One thing that happens to a client in the field. */
  async suffer(random: Random): Promise<void> {
    const cruelty = random.pick(['interrupt', 'transport', 'cut', 'swallow', 'away'])
    if (cruelty === 'interrupt') this.client.interrupt()
    else if (cruelty === 'transport') this.client.useTransport(random.pick(TRANSPORTS))
    else {
      if (cruelty === 'swallow') {
        this.line.inject({ kind: 'half-open', direction: 'both' })
        await delay(random.integer(0, 300))
      }
      this.line.inject({ kind: 'reset' })
      if (cruelty === 'away') {
        this.line.inject({ kind: 'refuse' })
        await delay(random.integer(0, 2 * SESSION_TTL_MS))
      }
      this.line.mend()
    }
  }

  async stop(): Promise<void> {
    await this.client.close()
    await this.line.close()
  }
}

/** Publishes by the HTTP API in bursts, with its own answers as the model. */
const publishing =
  (api: Api, stream: Stream, random: Random): Fiber =>
  async (isStopped) => {
    for (let n = 0; !isStopped(); ) {
      for (let burst = random.integer(1, 12); burst > 0; burst--) {
        const data = { n: n++, filler: 'x'.repeat(random.pick([0, 10, 3000])) }
        const { position } = await api.publish(stream.name, data)
        stream.published.add(position.offset, data)
      }
      await delay(random.integer(0, 60))
    }
  }

const suffering =
  (subscriber: Subscriber, streams: readonly Stream[], random: Random): Fiber =>
  async (isStopped) => {
    const publications: Promise<void>[] = []
    for (let n = 0; !isStopped(); n++) {
      await delay(random.integer(5, 250))
      await subscriber.suffer(random)
      const data = { by: subscriber.line.port, n }
      if (random.next() < 0.5) publications.push(subscriber.publish(random.pick(streams), data))
    }
    await Promise.all(publications)
  }

/** One round: clients in a network that fails all the time, then peace, then the judgement. */
const playRound = async (server: FusewireProcess, api: Api, round: number, random: Random) => {
  const stream = (kind: keyof typeof HISTORY, name: string): Stream => ({
    name: `${kind}:${round}-${name}`,
    historySize: HISTORY[kind],
    published: new PublishedModel(),
  })
  const streams = [stream('long', 'a'), stream('long', 'b'), stream('short', 'c')] as const
  const starting = Array.from({ length: CLIENTS }, () => Subscriber.start(server, streams, random.fork()))
  const subscribers = await Promise.all(starting)
  try {
    const stopAt = performance.now() + ROUND_MS
    const isStopped = (): boolean => performance.now() > stopAt
    await Promise.all([
      ...streams.map((each) => publishing(api, each, random.fork())(isStopped)),
      // What they publish goes where nothing may be lost, so that everybody must see it.
      ...subscribers.map((subscriber) => suffering(subscriber, streams.slice(0, 2), random.fork())(isStopped)),
    ])
    const sum = { published: 0, recovered: 0, lost: 0, resumed: 0, begunAnew: 0 }
    for (const each of streams) {
      const last = (await api.history(each.name)).position.offset
      for (const subscriber of subscribers) {
        await eventually(() => expect(subscriber.at(each)).toBe(last), { timeoutMs: 10_000 })
        each.published.learn(subscriber.told.get(each) ?? [])
      }
      expect(each.published.last).toBe(last)
      each.published.assertComplete()
      sum.published += last
      for (const subscriber of subscribers) {
        const { recovered, lost } = judge(subscriber.told.get(each) ?? [], each.published, each.historySize)
        sum.recovered += recovered
        sum.lost += lost
      }
    }
    for (const { resumed, begunAnew } of subscribers) {
      sum.resumed += resumed
      sum.begunAnew += begunAnew
    }
    return sum
  } finally {
    await Promise.all(subscribers.map((subscriber) => subscriber.stop()))
  }
}

describe('the promise of resume [S5] [S6] [S8]', () => {
  const title = `holds over random cuts, transports and rates: in order, no gap, no duplicate, or recovered: false (seed ${SEED})`
  it(title, { timeout: BUDGET_MS + 40_000 }, async ({ server, api }) => {
    const random = new Random(SEED)
    const deadline = performance.now() + BUDGET_MS
    const rounds: Awaited<ReturnType<typeof playRound>>[] = []
    while (performance.now() < deadline) rounds.push(await playRound(server, api, rounds.length, random.fork()))
    // Every case of the promise has been tried.
    for (const key of ['published', 'recovered', 'lost', 'resumed', 'begunAnew'] as const)
      expect(
        rounds.reduce((sum, round) => sum + round[key], 0),
        key,
      ).toBeGreaterThan(0)
  })
})

describe('the model of the promise', () => {
  const published = new PublishedModel()
  for (let offset = 1; offset <= 20; offset++) published.add(offset, `p${offset}`)
  const subscribed = (offset: number, recovered = false, wasRecovering = false): Told => ({
    kind: 'subscribed',
    event: { position: { epoch: 'e', offset }, recovered, wasRecovering },
  })
  const publications = (from: number, to: number): Told[] =>
    Array.from({ length: to - from + 1 }, (_, n) => ({
      kind: 'publication',
      publication: { offset: from + n, data: `p${from + n}` },
    }))
  const told = {
    perfect: [subscribed(2), ...publications(3, 9), subscribed(12, true, true), ...publications(10, 20)],
    honest: [subscribed(0), ...publications(1, 3), subscribed(13, false, true), ...publications(14, 20)],
    gap: [subscribed(2), ...publications(3, 9), ...publications(11, 20)],
    silentGap: [subscribed(2), ...publications(3, 9), subscribed(12, true, true), ...publications(13, 20)],
    duplicate: [subscribed(2), ...publications(3, 9), ...publications(9, 20)],
    disorder: [subscribed(2), ...publications(4, 4), ...publications(3, 3), ...publications(5, 20)],
    forgery: [subscribed(18), { kind: 'publication', publication: { offset: 19, data: 'p18' } }, ...publications(20, 20)],
    giveUp: [subscribed(0), ...publications(1, 8), subscribed(13, false, true), ...publications(14, 20)],
    early: [subscribed(0), ...publications(1, 19)],
  } satisfies Record<string, Told[]>

  it('takes what is perfect or honest, and nothing else', () => {
    expect(judge(told.perfect, published, 8)).toEqual({ recovered: 1, lost: 0 })
    expect(judge(told.honest, published, 8)).toEqual({ recovered: 0, lost: 1 })
    expect(() => judge(told.gap, published, 8)).toThrow('missing')
    expect(() => judge(told.silentGap, published, 8)).toThrow('missing')
    expect(() => judge(told.duplicate, published, 8)).toThrow('twice')
    expect(() => judge(told.disorder, published, 8)).toThrow('missing')
    expect(() => judge(told.forgery, published, 8)).toThrow('was published here')
    expect(() => judge(told.giveUp, published, 8)).toThrow('only 5')
    expect(() => judge(told.early, published, 8)).toThrow('19 of 20')
    expect(() => published.add(20, 'again')).toThrow('twice')
  })
})
