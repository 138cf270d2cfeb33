import { defineConfig } from 'vitest/config'
import { isOfNodesOwnClient } from './e2e/nodes-own-client.ts'

const resolve = { conditions: ['@fusewire/source'] }

export default defineConfig({
  test: {
    onUnhandledError: (error) => !isOfNodesOwnClient(error),
    projects: [
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'unit',
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
          include: ['e2e/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // They wait most of the time; still more of them at once would wait for one another's processor.
          maxWorkers: 3,
        },
      },
    ],
  },
})
