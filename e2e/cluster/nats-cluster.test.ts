import { expect } from 'vitest'
import { clusterTest } from './cluster-test.ts'
import { brokerFaults, NODE_FAULTS } from './faults.ts'

clusterTest('nats-cluster', 'lose nothing when one of three NATS servers is killed, comes back empty, or stands still', {
  nodes: 3,
  clients: 14,
  faults: (broker) => [NODE_FAULTS.killed, ...brokerFaults(broker)],
  happened: ({ resumed }) => expect(resumed).toBeGreaterThan(0),
})
