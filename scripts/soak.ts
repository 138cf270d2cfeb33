/** `npm run soak`: builds, then lets clients go through faults at random for as long as it is told to. */
import { spawn, spawnSync } from 'node:child_process'

const SOAK = ['--conditions=@fusewire/source', 'e2e/soak/main.ts', ...process.argv.slice(2)]

// What there is can be told without a build.
if (process.argv.includes('--help')) process.exit(spawnSync(process.execPath, SOAK, { stdio: 'inherit' }).status ?? 1)

const built = spawnSync(process.execPath, ['scripts/run.mjs', 'build'], { stdio: 'inherit' })
if (built.status !== 0) process.exit(built.status ?? 1)

// In a process group of its own: Ctrl-C would end its servers too, while it still asks them. It ends when this channel does.
const soak = spawn(process.execPath, SOAK, {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  detached: true,
})
process.on('SIGINT', () => soak.kill('SIGINT'))
soak.once('exit', (code) => process.exit(code ?? 1))
