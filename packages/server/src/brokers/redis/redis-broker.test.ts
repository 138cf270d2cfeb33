import type { Broker } from '@fusewire/engine'
import { brokerContract, describeWith, FaultProxy } from '@fusewire/testkit'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { RedisBroker } from './redis-broker.ts'
import { connectTo, REDIS_KINDS, type StartedRedis } from './testing/redis-kinds.ts'

const IDEMPOTENCY_TTL_MS = 2_000
const TIMEOUT_MS = 5_000

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

for (const { title, programs, start } of REDIS_KINDS)
  describeWith(programs, `over Redis, ${title}`, () => {
    let redis: StartedRedis
    let round = 0
    const proxies: FaultProxy[] = []

    beforeAll(async () => {
      redis = await start()
    }, 60_000)

    afterEach(async () => {
      for (const proxy of proxies.splice(0)) await proxy[Symbol.asyncDispose]()
    })

    afterAll(() => redis.stop())

    brokerContract(
      'RedisBroker',
      async () => {
        const prefix = `test${++round}`
        const options = { prefix, idempotencyTtlMs: IDEMPOTENCY_TTL_MS, timeoutMs: TIMEOUT_MS }
        // What a cluster or a sentinel tells of is not behind a proxy.
        const proxy = redis.mode === 'standalone' ? await FaultProxy.start(Number(new URL(redis.urls[0] ?? '').port)) : undefined
        if (proxy) proxies.push(proxy)
        const urls = proxy ? [`redis://127.0.0.1:${proxy.port}`] : redis.urls
        const broker = new RedisBroker(connectTo({ mode: redis.mode, urls }, TIMEOUT_MS), { node: 'a', ...options })
        return {
          broker,
          pass: wait,
          isTimeReal: true,
          idempotencyTtlMs: IDEMPOTENCY_TTL_MS,
          another: (): Broker => new RedisBroker(connectTo(redis, TIMEOUT_MS), { node: 'b', ...options }),
          ...(proxy && {
            interrupt: async (meanwhile: () => Promise<void>) => {
              proxy.sever()
              await meanwhile()
              proxy.mend()
            },
          }),
        }
      },
      { runs: 12, runsAtOnce: 3 },
    )
  })
