import { expect } from 'vitest'
import { clusterTest } from './cluster-test.ts'
import { brokerFaults } from './faults.ts'

clusterTest('sentinel', 'hold what they promise when the master fails over, by order and because it was killed', {
  nodes: 2,
  clients: 14,
  faults: brokerFaults,
  happened: ({ lost }) => expect(lost).toBeGreaterThan(0),
})
