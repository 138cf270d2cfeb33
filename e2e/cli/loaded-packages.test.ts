import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runFusewire } from '../fusewire-command.ts'
import { commandFolder } from './command-folder.ts'

/** A package of the workspace, or another one, by the address of one of its files. */
const PACKAGE = /\/packages\/(?<own>\w+)\/dist\/|\/node_modules\/(?<other>(?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/u

/** The packages whose code has run in a program, by default the command; `NODE_V8_COVERAGE` writes down every file. */
const loadedBy = async (args: readonly string[], program?: string): Promise<readonly string[]> => {
  const { folder } = commandFolder()
  const reports = join(folder, 'coverage')
  await runFusewire(args, { folder, environment: { NODE_V8_COVERAGE: reports }, ...(program !== undefined && { program }) })
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
  expect(await loadedBy(['--version'])).toEqual(least)
  expect(await loadedBy(['--help'])).toEqual(least)
})

it.each([
  ['publish', 'news', 'hello', ...NOBODY],
  ['info', ...NOBODY],
  ['drain', ...NOBODY],
])('%s loads nothing of the server and of the SDK', async (...args) => {
  expect(await loadedBy(args)).toEqual(['cli', 'commander', 'picocolors', 'undici', 'zod'])
})

/** What reads and explains the configuration. */
const CONFIGURATION = ['cli', 'commander', 'engine', 'fastest-levenshtein', 'picocolors', 'protocol', 'server', 'yaml', 'zod']

it.each([['check-config'], ['init'], ['serve', '--help']])('%s loads nothing that serves', async (...args) => {
  expect(await loadedBy(args)).toEqual(CONFIGURATION)
})

it('token loads nothing that serves', async () => {
  expect(await loadedBy(['token', '--user', 'alice', '--secret', 'x'.repeat(32)])).toEqual([...CONFIGURATION, 'jose'].sort())
})

it('@fusewire/server/token loads nothing that serves', async () => {
  const program = fileURLToPath(new URL('../../packages/server/dist/token.js', import.meta.url))
  expect(await loadedBy([], program)).toEqual(['jose', 'protocol', 'server', 'zod'])
})
