/** `npm run soak`: builds, then lets clients go through faults at random for as long as it is told to. */
import { spawnSync } from 'node:child_process'

const run = (...args: string[]): number => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1

const built = run('scripts/run.mjs', 'build')
process.exit(built === 0 ? run('--conditions=@fusewire/source', 'e2e/soak/main.ts', ...process.argv.slice(2)) : built)
