import type { Publication } from '@fusewire/protocol'
import { describeWith, eventually, FaultProxy, Random, startRedis } from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { RedisBroker } from './redis-broker.ts'
import { connectTo } from './testing/redis-kinds.ts'

const TIMEOUT_MS = 3_000
const CHANNELS = ['a', 'b', 'c']
const KEPT = { historySize: 100_000, historyTtlMs: 600_000, historyBytes: 1e9 }

/** A node that does as the hub does: it takes what it hears, and reads the history where it is told that something may be missing. */
class Reader {
  readonly broker: RedisBroker
  readonly proxy: FaultProxy
  /** By channel, what a client would have got: in order, without a gap, each once. */
  readonly got = new Map<string, Publication[]>(CHANNELS.map((channel) => [channel, []]))
  readonly #held = new Map<string, Publication[]>()
  #epochs = new Map<string, string>()
  #isOver = false

  constructor(proxy: FaultProxy, node: string) {
    this.proxy = proxy
    const connection = connectTo({ mode: 'standalone', urls: [`redis://127.0.0.1:${proxy.port}`] }, TIMEOUT_MS)
    this.broker = new RedisBroker(connection, { node, prefix: 'fusewire', idempotencyTtlMs: 60_000, timeoutMs: TIMEOUT_MS })
  }

  async start(): Promise<void> {
    await this.broker.start({
      publication: (channel, publication) => this.#take(channel, publication),
      interrupted: (channel) => void this.#catchUp(channel),
      announcement: () => undefined,
    })
    for (const channel of CHANNELS) {
      await this.broker.subscribe(channel)
      this.#epochs.set(channel, (await this.broker.history(channel, { limit: 0 })).position.epoch)
    }
  }

  close(): void {
    this.#isOver = true
    this.broker.close()
  }

  #take(channel: string, publication: Publication): void {
    const held = this.#held.get(channel)
    if (held) {
      held.push(publication)
      return
    }
    const got = this.got.get(channel) ?? []
    // Whoever is not told that something is missing counts on this.
    expect([channel, publication.offset]).toEqual([channel, got.length + 1])
    got.push(publication)
  }

  async #catchUp(channel: string): Promise<void> {
    if (this.#held.has(channel)) {
      this.#held.set(channel, [])
      return
    }
    this.#held.set(channel, [])
    const got = this.got.get(channel) ?? []
    for (let isDone = false; !isDone && !this.#isOver; ) {
      const held: Publication[] = []
      this.#held.set(channel, held)
      const since = { epoch: this.#epochs.get(channel) ?? '', offset: got.length }
      const page = await this.broker.history(channel, { since }).catch(() => undefined)
      if (!page) await new Promise((resolve) => setTimeout(resolve, 20))
      // Another interruption has begun the list anew.
      if (!page || this.#held.get(channel) !== held) continue
      expect(page.complete).toBe(true)
      got.push(...page.publications)
      this.#held.delete(channel)
      for (const publication of held) if (publication.offset > got.length) this.#take(channel, publication)
      isDone = true
    }
  }
}

describeWith(['redis-server'], 'RedisBroker on a bad line', () => {
  it.each([1, 2, 3])(
    'gives every node all publications in order, each once, whatever breaks (seed %i)',
    async (seed) => {
      const random = new Random(seed)
      const server = await startRedis()
      const proxies = await Promise.all([0, 1, 2].map(() => FaultProxy.start(server.port, random)))
      const readers = proxies.map((proxy, index) => new Reader(proxy, `n${index}`))
      const problems: unknown[] = []
      const onProblem = (problem: unknown): void => void problems.push(problem)
      process.on('unhandledRejection', onProblem)
      try {
        await Promise.all(readers.map((reader) => reader.start()))
        const acknowledged = new Map<string, string[]>(CHANNELS.map((channel) => [channel, []]))
        let isOver = false
        const publishing = readers.map(async ({ broker }, node) => {
          for (let n = 0; !isOver; n++) {
            const batch = Array.from({ length: 5 }, (_, index) => {
              const channel = CHANNELS[(n + index) % CHANNELS.length] ?? 'a'
              const data = `${node} ${n} ${index}`
              return broker.publish(channel, { data }, KEPT).then(
                () => void acknowledged.get(channel)?.push(data),
                (error: unknown) => expect(error).toMatchObject({ code: 'broker_unavailable' }),
              )
            })
            await Promise.all(batch)
            await new Promise((resolve) => setTimeout(resolve, 2))
          }
        })
        const faults = [
          (proxy: FaultProxy) => proxy.inject({ kind: 'reset' }),
          (proxy: FaultProxy) => proxy.inject({ kind: 'stall', direction: 'down', forMs: 100 }),
          (proxy: FaultProxy) => proxy.inject({ kind: 'stall', direction: 'up', forMs: 600 }),
          (proxy: FaultProxy) => {
            proxy.sever()
            setTimeout(() => proxy.mend(), 100)
          },
        ]
        for (let round = 0; round < 25; round++) {
          const proxy = proxies[Math.floor(random.next() * proxies.length)]
          const fault = faults[Math.floor(random.next() * faults.length)]
          if (proxy) fault?.(proxy)
          await new Promise((resolve) => setTimeout(resolve, 80))
        }
        for (const proxy of proxies) proxy.mend()
        isOver = true
        await Promise.all(publishing)
        const plain = readers[0]?.broker
        for (const channel of CHANNELS) {
          const { publications } = await eventually(async () => plain?.history(channel, {}) ?? false, { timeoutMs: 10_000 })
          const texts = publications.map(({ data }) => data)
          expect(new Set(texts).size).toBe(texts.length)
          expect(acknowledged.get(channel)?.length).toBeGreaterThan(20)
          for (const text of acknowledged.get(channel) ?? []) expect(texts).toContain(text)
          for (const { got } of readers)
            await eventually(() => expect(got.get(channel)?.map(({ data }) => data)).toEqual(texts), { timeoutMs: 10_000 })
        }
        expect(problems).toEqual([])
      } finally {
        process.off('unhandledRejection', onProblem)
        for (const reader of readers) reader.close()
        for (const proxy of proxies) await proxy[Symbol.asyncDispose]()
        await server.stop()
      }
    },
    60_000,
  )
})
