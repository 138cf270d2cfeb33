/** `npm run bench`: builds, then measures. */
import { spawnSync } from 'node:child_process'

const run = (...args: string[]): number => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1

const built = run('scripts/run.mjs', 'build')
process.exit(built === 0 ? run('packages/bench/dist/main.js', ...process.argv.slice(2)) : built)
