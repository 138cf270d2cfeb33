import { describeWith, nodeBusContract, startNats } from '@fusewire/testkit'
import { afterAll, beforeAll } from 'vitest'
import { NatsStores } from './testing/nats-stores.ts'

describeWith(['nats-server'], 'with a NATS server', () => {
  let server: Awaited<ReturnType<typeof startNats>>
  let stores: NatsStores
  beforeAll(async () => {
    server = await startNats()
    stores = new NatsStores([server.url])
  })
  afterAll(async () => {
    stores.close()
    await server.stop()
  })

  nodeBusContract('the bus over NATS', () => stores.bus())
})
