import { Random } from '@fusewire/testkit'
import { Api } from '../api.ts'
import { playRound } from '../faults/round.ts'
import { RULES } from '../faults/stream.ts'
import { Tally } from '../faults/tally.ts'
import { FusewireProcess } from '../fusewire-process.ts'
import { isOfNodesOwnClient } from '../nodes-own-client.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { soakCluster } from './cluster-soak.ts'
import { ServerMemory, WATCHED } from './server-memory.ts'
import { HELP, readSoakRequest } from './soak-options.ts'

/** Each round has channels of its own, so that what is remembered of the old ones can be let go. */
const ROUND_MS = 30_000
const TRIAL_MS = 1_500
const PROGRESS_MS = 10_000
const LOOK_MS = 1_000
/** Longer than any break of a trial, short enough that the history of old rounds is not counted as growth. */
const HISTORY_TTL_MS = 60_000
/** Rounds before memory is compared: until then histories and caches fill. */
const SETTLED_ROUNDS = 3
/** What the heap may grow by from then on: histories of two rounds differ by this at most. */
const MAX_GROWTH_BYTES = 32 * 1024 * 1024
const SHOWN_VIOLATIONS = 10

const request = readSoakRequest(process.argv.slice(2), Date.now() % 1_000_000)
if (request.kind === 'help') {
  console.log(HELP)
  process.exit(0)
}
if (request.kind === 'wrong') {
  console.error(`${request.message}\n\n${HELP}`)
  process.exit(2)
}

if (request.options.cluster) process.exit(await soakCluster(request.options, request.options.cluster))

const { durationMs, seed, clients } = request.options
const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`
const beganAt = performance.now()
const passedMs = (): number => performance.now() - beganAt
let isOver = false
let crash: string | undefined
process.once('SIGINT', () => {
  isOver = true
})
process.on('uncaughtException', (error) => {
  if (isOfNodesOwnClient(error)) return
  crash ??= error.stack
  isOver = true
})

const server = await FusewireProcess.start(
  {
    ...DEVELOPMENT,
    logLevel: 'warn',
    sessionTtlMs: 400,
    pingIntervalMs: 1_000,
    pongTimeoutMs: 1_500,
    rules: RULES.map((rule) => ({ ...rule, historyTtlMs: HISTORY_TTL_MS })),
  },
  { nodeFlags: WATCHED },
)
const api = new Api(server.http)
const memory = new ServerMemory(server, api)
const tally = new Tally()
const random = new Random(seed)
const seeds = random.fork()
const heaps: number[] = []
/** Violations that have been printed. */
let told = 0

const wrongs = (): number => Object.values(tally.wrong).reduce((sum, count) => sum + count, 0) + tally.problems.length
const progress = (): void => {
  const { trials, delivered, recovered, lost, connected } = tally
  const seconds = Math.round(passedMs() / 1000)
  console.log(
    `${seconds} s: ${trials} schedules, ${delivered} delivered, ${connected} connections, ${recovered} recovered, ${lost} honestly lost, ` +
      `${wrongs()} wrong, peak ${mebibytes(memory.peakBytes)}`,
  )
  for (const { kind, message } of tally.violations.slice(told, SHOWN_VIOLATIONS)) console.error(`✗ ${kind}: ${message}`)
  told = tally.violations.length
}

console.log(`Soak for ${durationMs / 60_000} minutes with ${clients} clients at a time, seed ${seed}`)
const timers = [setInterval(progress, PROGRESS_MS), setInterval(() => void memory.look().catch(() => undefined), LOOK_MS)]
try {
  for (let round = 0; !isOver && passedMs() < durationMs; round++) {
    const roundEnds = Math.min(durationMs, passedMs() + ROUND_MS)
    const outcome = await playRound({
      server,
      api,
      random: random.fork(),
      name: `soak-${round}`,
      clients,
      trialMs: TRIAL_MS,
      nextSeed: () => (isOver || passedMs() >= roundEnds ? undefined : seeds.integer(0, 2 ** 32 - 1)),
      onTrial: (trial) => tally.addTrial(trial),
    })
    tally.addRound(outcome)
    heaps.push(await memory.heap())
  }
} catch (error) {
  crash ??= server.isRunning ? (error as Error).message : `the server has ended: ${server.log.slice(-2000)}`
}
for (const timer of timers) clearInterval(timer)
progress()
const code = await server.stop()
if (code !== 0) crash ??= `the server ended with ${code}`

const growth = (heaps.at(-1) ?? 0) - (heaps[SETTLED_ROUNDS - 1] ?? heaps.at(-1) ?? 0)
const isGrown = growth > MAX_GROWTH_BYTES
const { trials, published, delivered, recovered, lost, connected, resumed, begunAnew, wrong, problems, happened } = tally
const rows: readonly (readonly [string, number | string])[] = [
  ['schedules', trials],
  ['sent', published],
  ['delivered', delivered],
  ['missing', wrong.missing],
  ['duplicated', wrong.duplicate],
  ['out of order', wrong.disorder],
  ['not what was sent', wrong.forged],
  ['never came', wrong.stalled],
  ['said to be lost, and was not', wrong.dishonest],
  ['refused, or ended for good', wrong.broken],
  ['wrong in the channels', problems.length],
  ['recoveries, complete', recovered],
  ['recoveries, honestly lost', lost],
  ['connections', connected],
  ['  that resumed their session', resumed],
  ['  that came too late for it', begunAnew],
  ['peak memory of the server', mebibytes(memory.peakBytes)],
  ['heap of the server at the end', mebibytes(heaps.at(-1) ?? 0)],
  ['  growth since it had settled', mebibytes(growth)],
]
console.log(`\n${rows.map(([name, value]) => `${name.padEnd(34)}${String(value).padStart(14)}`).join('\n')}`)
console.log(
  `faults: ${Object.entries(happened)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ')}`,
)
for (const problem of problems) console.error(`✗ ${problem}`)
if (crash !== undefined) console.error(`✗ ${crash}`)
if (isGrown) console.error(`✗ the heap has grown by more than ${mebibytes(MAX_GROWTH_BYTES)}`)
const isHeld = wrongs() === 0 && crash === undefined && !isGrown
console.log(isHeld ? '✓ every promise was held' : `✗ not every promise was held; to try again: npm run soak -- --seed ${seed}`)
process.exit(isHeld ? 0 : 1)
