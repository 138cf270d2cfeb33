import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { commandFolder } from './command-folder.ts'

/** A package of the workspace, or another one, by the address of one of its files. */
const PACKAGE = /\/packages\/(?<own>\w+)\/dist\/|\/node_modules\/(?<other>(?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/u

/** The packages whose code has run in a command; `NODE_V8_COVERAGE` writes down every file. */
const loadedBy = async (...args: string[]): Promise<readonly string[]> => {
  const { folder, run } = commandFolder()
  const reports = join(folder, 'coverage')
  await run(args, { NODE_V8_COVERAGE: reports })
  const urls = readdirSync(reports).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(reports, name), 'utf8')) as { result: { url: string }[] }
    return result.map(({ url }) => url)
  })
  const found = urls.map((url) => PACKAGE.exec(url)?.groups)
  return [...new Set(found.flatMap((groups) => groups?.own ?? groups?.other ?? []))].sort()
}

const NOBODY = ['--url', 'https://127.0.0.1:1']

it('the command loads no more than it needs to say what there is', async () => {
  const least = ['cli', 'commander', 'picocolors']
  expect(await loadedBy('--version')).toEqual(least)
  expect(await loadedBy('--help')).toEqual(least)
})

it.each([
  ['publish', 'news', 'hello', ...NOBODY],
  ['info', ...NOBODY],
  ['drain', ...NOBODY],
])('%s loads nothing of the server and of the SDK', async (...args) => {
  expect(await loadedBy(...args)).toEqual(['cli', 'commander', 'picocolors', 'undici', 'zod'])
})

it.each([['check-config'], ['token', '--user', 'alice', '--secret', 'x'.repeat(32)], ['init'], ['serve', '--help']])(
  '%s loads nothing that serves',
  async (...args) => {
    const loaded = await loadedBy(...args)
    expect(loaded).toContain('server')
    for (const name of ['fastify', 'ws', 'pino', 'prom-client', 'undici', '@redis/client', '@nats-io/transport-node'])
      expect(loaded).not.toContain(name)
  },
)
