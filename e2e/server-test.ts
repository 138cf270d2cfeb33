import type { FusewireInput } from '@fusewire/server'
import { type TestContext, test } from 'vitest'
import { Api } from './api.ts'
import { FusewireProcess } from './fusewire-process.ts'

/**
 * A vitest `it` whose tests share one server with these options, started for the first of them and stopped after the last, and
 * its HTTP API. What the server has logged is shown when a test fails.
 *
 * @example const it = serverTest({ development: true })
 *          it('answers', async ({ server }) => …)
 */
export const serverTest = (options: FusewireInput) =>
  test
    .extend('options', { scope: 'file' }, options)
    .extend('server', { scope: 'file' }, async ({ options }, { onCleanup }) => {
      const server = await FusewireProcess.start(options)
      onCleanup(async () => {
        const code = await server.stop()
        if (code !== 0) throw new Error(`the server ended with ${code}\n${server.log}`)
      })
      return server
    })
    .extend('api', { scope: 'file' }, ({ server, options }) => new Api(server.http, options.apiKeys?.[0]))
    .extend('_log', { auto: true }, ({ server, onTestFailed }: TestContext & { server: FusewireProcess }) => {
      const before = server.log.length
      onTestFailed(() => console.error(`The server has logged:\n${server.log.slice(before)}`))
    })
