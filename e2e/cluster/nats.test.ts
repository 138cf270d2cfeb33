import { expect } from 'vitest'
import { clusterTest } from './cluster-test.ts'
import { awayAndTold, brokerFault, CUTS, NODE_FAULTS } from './faults.ts'

const { killed, blink } = NODE_FAULTS

clusterTest('nats', 'hold what they promise when nodes are killed, suspended and cut off, and NATS is killed and suspended', {
  nodes: 2,
  clients: 18,
  faults: (broker) => [
    killed,
    blink,
    ...CUTS,
    brokerFault(broker, 'NATS is killed, and comes back with what it had'),
    brokerFault(broker, 'NATS is killed, and comes back empty'),
    awayAndTold(broker, 'NATS stands still for longer than brokerTimeoutMs'),
  ],
  happened: ({ lost, refused, resumed }) => {
    expect(resumed).toBeGreaterThan(0)
    expect(lost).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  },
})
