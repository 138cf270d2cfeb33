import { defineConfig } from 'vitest/config'
import { isOfNodesOwnClient } from './e2e/nodes-own-client.ts'

/** Black-box tests of minutes: several real servers, and what befalls them and their brokers. */
const CLUSTERS = ['e2e/cluster/**/*.test.ts', 'e2e/several-nodes.test.ts']

const resolve = { conditions: ['@fusewire/source'] }

export default defineConfig({
  test: {
    onUnhandledError: (error) => !isOfNodesOwnClient(error),
    // One after another, since each runs its own number of files at a time.
    projects: [
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'unit',
          sequence: { groupOrder: 1 },
          include: ['packages/*/src/**/*.test.ts', 'examples/demo/{shared,server,page}/**/*.test.ts'],
          // A deadline for what hangs, and no measure of speed: property tests take as long as a busy machine lets them.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          // Those with a real Redis or NATS wait most of the time, and on two cores there would be one at a time.
          maxWorkers: 3,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'e2e',
          sequence: { groupOrder: 2 },
          include: ['e2e/**/*.test.ts'],
          exclude: CLUSTERS,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // They wait most of the time; more of them at once would wait for one another's processor.
          maxWorkers: 2,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'cluster',
          sequence: { groupOrder: 3 },
          include: CLUSTERS,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
})
