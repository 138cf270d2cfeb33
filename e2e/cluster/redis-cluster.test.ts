import { expect } from 'vitest'
import { clusterTest } from './cluster-test.ts'
import { brokerFaults, NODE_FAULTS } from './faults.ts'

clusterTest('redis-cluster', 'hold what they promise when shards fail over, by order and because a master was killed', {
  nodes: 2,
  clients: 14,
  faults: (broker) => [NODE_FAULTS.killed, ...brokerFaults(broker)],
  happened: ({ lost }) => expect(lost).toBeGreaterThan(0),
})
