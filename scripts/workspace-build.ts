import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DEMO = join(ROOT, 'examples/demo')

/** What the demo's page is made of; the packages stand as what they are compiled to. */
const PAGE_SOURCES = [
  join(DEMO, 'page'),
  join(DEMO, 'shared'),
  join(DEMO, 'vite.config.ts'),
  join(ROOT, 'packages/client/dist'),
  join(ROOT, 'packages/protocol/dist'),
  join(ROOT, 'package-lock.json'),
]
const PAGE = join(DEMO, 'dist/page/index.html')

/** The time of the newest change at a path or below it; 0 when there is nothing. */
const changedAt = (path: string): number => {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats?.isDirectory()) return stats?.mtimeMs ?? 0
  return readdirSync(path).reduce((newest, name) => Math.max(newest, changedAt(join(path, name))), 0)
}

const isPageStale = (): boolean => {
  const built = changedAt(PAGE)
  return PAGE_SOURCES.some((source) => changedAt(source) > built)
}

/** Runs a JavaScript program of node_modules with this Node; says nothing unless it fails. */
const run = (program: string, args: readonly string[], directory: string): void => {
  const options = { cwd: directory, encoding: 'utf8', env: { ...process.env, NODE_ENV: 'production' } } as const
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [join(ROOT, 'node_modules', program), ...args], options)
  if (status === 0) return
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
  console.error(`The build has failed${error ? `: ${error.message}` : ''}.`)
  process.exit(status ?? 1)
}

/** Builds what is stale: the packages, the demo's server and its page. */
export const buildWorkspace = (): void => {
  run('typescript/bin/tsc', ['-b', '.', 'examples/demo'], ROOT)
  if (!isPageStale()) return
  // Vite takes the types out without looking at them.
  run('typescript/bin/tsc', ['-p', 'page'], DEMO)
  run('vite/bin/vite.js', ['build', '--logLevel', 'warn'], DEMO)
}
