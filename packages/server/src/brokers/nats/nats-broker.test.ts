import { brokerContract, describeWith, type FaultProxy, type NatsServer, startNats } from '@fusewire/testkit'
import { afterAll, beforeAll } from 'vitest'
import { brokerUnderTest } from './testing/broker-nodes.ts'

describeWith(['nats-server'], 'one server', () => {
  let server: NatsServer
  const lines: FaultProxy[] = []

  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(async () => {
    for (const line of lines) await line.close()
    await server.stop()
  })

  brokerContract('NatsBroker', () => brokerUnderTest([server.url], {}, lines), { runs: 60 })
})
