import { defineConfig } from 'vitest/config'

const resolve = { conditions: ['@fusewire/source'] }

/**
 * Node 26's own HTTP/2 client (undici, behind fetch and WebSocket) now and then throws past its caller when a server ends while a
 * connection is open, and when it gives up a session that has not been used for four seconds. Nothing of ours is on that stack, and
 * the tests hold what the SDK makes of the lost line.
 */
const isNodesOwnClient = (error: { code?: unknown; stack?: string | undefined }): boolean =>
  (error.code === 'UND_ERR_SOCKET' && /onHttp2SocketEnd .*node:internal\/deps\/undici/u.test(error.stack ?? '')) ||
  (error.code === 'UND_ERR_INFO' && /onHttp2SessionIdleTimeout .*node:internal\/deps\/undici/u.test(error.stack ?? ''))

export default defineConfig({
  test: {
    onUnhandledError: (error) => !isNodesOwnClient(error),
    projects: [
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'examples/demo/{shared,server,page}/**/*.test.ts'],
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
          fileParallelism: false,
        },
      },
    ],
  },
})
