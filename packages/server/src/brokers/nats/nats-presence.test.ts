import { describeWith, presenceContract, startNats } from '@fusewire/testkit'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { NatsStores } from './testing/nats-stores.ts'

const TTL_MS = 2000

describeWith(['nats-server'], 'with a NATS server', () => {
  let server: Awaited<ReturnType<typeof startNats>>
  let stores: NatsStores
  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(() => server.stop())
  afterEach(() => stores.close())

  presenceContract('presence in NATS', async () => {
    stores = new NatsStores([server.url])
    return {
      presence: await stores.presence('a', TTL_MS),
      another: () => stores.presence('b', TTL_MS),
      ttlMs: TTL_MS,
      pass: (ms) => stores.pass(ms),
    }
  })
})
