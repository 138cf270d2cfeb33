/** `npm run bench`: builds, then measures. */
import { spawnSync } from 'node:child_process'

const run = (...args: string[]): number => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1

const args = process.argv.slice(2)
// What there is can be told without a build.
if (args.includes('--help') || args.includes('-h'))
  process.exit(run('--conditions=@fusewire/source', 'packages/bench/src/main.ts', ...args))

const built = run('scripts/run.mjs', 'build')
process.exit(built === 0 ? run('packages/bench/dist/main.js', ...args) : built)
