import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { isOfNodesOwnClient } from './e2e/nodes-own-client.ts'

/** Black-box tests of minutes: several real servers, and what befalls them and their brokers. */
const CLUSTERS = ['e2e/cluster/**/*.test.ts', 'e2e/several-nodes.test.ts']

/** What takes half a minute and more. */
const LONGEST = [
  'packages/server/src/brokers/redis/redis-broker.test.ts',
  'packages/server/src/brokers/nats/nats-broker-faults.test.ts',
  'packages/server/src/brokers/nats/nats-cluster.test.ts',
  'packages/server/src/brokers/nats/nats-broker-cluster.test.ts',
  'packages/server/src/brokers/nats/nats-broker-contention.test.ts',
  'packages/server/src/brokers/redis/redis-stores.test.ts',
  'packages/server/src/brokers/redis/redis-failovers.test.ts',
  'packages/server/src/brokers/nats/nats-access.test.ts',
  'e2e/cli/clients.test.ts',
  'e2e/workers.test.ts',
  'e2e/cli/serve.test.ts',
  'e2e/browser-demo.test.ts',
  'e2e/browser-client.test.ts',
  'e2e/faults/resume.property.test.ts',
  'e2e/faults/leaks.test.ts',
]

/**
 * The longest begin first, so that none of them is left alone at the end. By itself vitest knows that only where it has run before, and
 * takes large files for long ones; those with a real broker are small.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files)
    const longest = LONGEST.flatMap((path) => others.filter(({ moduleId }) => moduleId.endsWith(`/${path}`)))
    return [...new Set([...longest, ...others])]
  }
}

const resolve = { conditions: ['@fusewire/source'] }

// Hundreds of processes are started, of Vitest's and of the command: each compiles its modules unless one before it has.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/node')

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
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
          // A process for each of hundreds of files takes as much processor as all that is in them.
          isolate: false,
          setupFiles: ['packages/testkit/src/left-behind.setup.ts', 'packages/testkit/src/properties.setup.ts'],
          // A deadline for what hangs, and no measure of speed: property tests take as long as a busy machine lets them.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          // Those with a real Redis or NATS wait most of the time, and on two cores there would be one at a time.
          maxWorkers: 4,
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
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Two of them leave half of two cores idle: they wait for servers, browsers and deadlines.
          maxWorkers: 3,
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
          // Each has several servers, whose processor others would take.
          maxWorkers: 2,
        },
      },
    ],
  },
})
