import { brokerContract, describeWith, type FaultProxy, type NatsClusterServers, startNatsCluster } from '@fusewire/testkit'
import { afterAll, beforeAll } from 'vitest'
import { brokerUnderTest } from './testing/broker-nodes.ts'

describeWith(['nats-server'], 'three servers that keep three copies', () => {
  let cluster: NatsClusterServers
  const lines: FaultProxy[] = []

  beforeAll(async () => {
    cluster = await startNatsCluster()
  }, 60_000)
  afterAll(async () => {
    for (const line of lines) await line.close()
    await cluster.stop()
  })

  brokerContract('NatsBroker', () => brokerUnderTest(cluster.urls, { replicas: 3, timeoutMs: 5_000 }, lines), { runs: 5 })
})
