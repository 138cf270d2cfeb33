import { expect } from 'vitest'
import { clusterTest } from './cluster-test.ts'
import { awayAndTold, brokerFault, CUTS, NODE_FAULTS } from './faults.ts'
import { PONG_TIMEOUT_MS } from './play.ts'

const { killed, blink, sleep } = NODE_FAULTS

clusterTest('redis', 'hold what they promise when nodes are killed, suspended and cut off', {
  nodes: 3,
  clients: 18,
  pongTimeoutMs: PONG_TIMEOUT_MS,
  faults: () => [killed, blink, sleep, ...CUTS],
  happened: ({ resumed }) => expect(resumed).toBeGreaterThan(0),
})

clusterTest('redis', 'hold what they promise when Redis is killed and suspended, and nobody is disconnected by it', {
  nodes: 2,
  clients: 18,
  faults: (broker) => [
    brokerFault(broker, 'Redis is killed, and comes back with what it had'),
    brokerFault(broker, 'Redis is killed, and comes back empty'),
    awayAndTold(broker, 'Redis stands still for longer than brokerTimeoutMs'),
  ],
  happened: ({ lost, refused }) => {
    expect(lost).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  },
})
