import { describeWith, revocationsContract, startNats } from '@fusewire/testkit'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { NatsStores } from './testing/nats-stores.ts'

describeWith(['nats-server'], 'with a NATS server', () => {
  let server: Awaited<ReturnType<typeof startNats>>
  let stores: NatsStores
  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(() => server.stop())
  afterEach(() => stores.close())

  revocationsContract('revocations in NATS', async ({ maxRevocations }) => {
    stores = new NatsStores([server.url])
    return {
      revocations: stores.revocations('a', maxRevocations),
      now: Date.now,
      pass: (ms) => stores.pass(ms),
      another: () => stores.revocations('b', maxRevocations),
    }
  })
})
