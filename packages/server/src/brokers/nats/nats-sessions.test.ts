import { describeWith, eventually, sessionStoreContract, startNats } from '@fusewire/testkit'
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

  sessionStoreContract(
    'the sessions in NATS',
    async ({ traceMs }) => {
      stores = new NatsStores([server.url])
      return {
        store: await stores.sessions('a', traceMs),
        another: (node) => stores.sessions(node, traceMs),
        pass: (ms) => stores.pass(ms),
        traceMs,
        forget: async () => {
          await server.restart({ empty: true })
          await eventually(() => stores.areUp)
        },
      }
    },
    { runs: 30, shortMs: 200 },
  )
})
