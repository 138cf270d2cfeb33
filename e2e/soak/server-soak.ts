import { Random } from '@fusewire/testkit'
import { Api } from '../api.ts'
import { playRound } from '../faults/round.ts'
import { RULES } from '../faults/stream.ts'
import { Tally } from '../faults/tally.ts'
import { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { Ending } from './ending.ts'
import { conclude, mebibytes, table } from './report.ts'
import { ServerMemory, WATCHED } from './server-memory.ts'
import type { SoakOptions } from './soak-options.ts'

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

const wrongs = ({ wrong, problems }: Tally): number =>
  Object.values(wrong).reduce((sum, count) => sum + count, 0) + problems.length

/** Clients that go through faults at random, all at one server; gives the exit code. */
export const soakServer = async (options: SoakOptions): Promise<number> => {
  const { durationMs, seed, clients } = options
  console.log(`Soak for ${durationMs / 60_000} minutes with ${clients} clients at a time, seed ${seed}`)
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
  const ending = new Ending(durationMs)
  const api = new Api(server.http)
  const memory = new ServerMemory(server, api)
  const tally = new Tally()
  const random = new Random(seed)
  const seeds = random.fork()
  const heaps: number[] = []
  /** Violations that have been printed. */
  let told = 0

  const progress = (): void => {
    const { trials, delivered, recovered, lost, connected } = tally
    console.log(
      `${ending.passedSeconds} s: ${trials} schedules, ${delivered} delivered, ${connected} connections, ${recovered} recovered, ` +
        `${lost} honestly lost, ${wrongs(tally)} wrong, peak ${mebibytes(memory.peakBytes)}`,
    )
    for (const { kind, message } of tally.violations.slice(told, SHOWN_VIOLATIONS)) console.error(`✗ ${kind}: ${message}`)
    told = tally.violations.length
  }

  const timers = [setInterval(progress, PROGRESS_MS), setInterval(() => void memory.look().catch(() => undefined), LOOK_MS)]
  try {
    for (let round = 0; !ending.isOver; round++) {
      const roundEnds = ending.passedMs + ROUND_MS
      const outcome = await playRound({
        server,
        api,
        random: random.fork(),
        name: `soak-${round}`,
        clients,
        trialMs: TRIAL_MS,
        nextSeed: () => (ending.isOver || ending.passedMs >= roundEnds ? undefined : seeds.integer(0, 2 ** 32 - 1)),
        onTrial: (trial) => tally.addTrial(trial),
      })
      tally.addRound(outcome)
      heaps.push(await memory.heap())
    }
  } catch (error) {
    ending.fail(server.isRunning ? (error as Error).message : `the server has ended: ${server.log.slice(-2000)}`)
  }
  for (const timer of timers) clearInterval(timer)
  progress()
  const code = await server.stop()
  if (code !== 0) ending.fail(`the server ended with ${code}`)

  const growth = (heaps.at(-1) ?? 0) - (heaps[SETTLED_ROUNDS - 1] ?? heaps.at(-1) ?? 0)
  const { trials, published, delivered, recovered, lost, connected, resumed, begunAnew, wrong, problems, happened } = tally
  const rows = table([
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
  ])
  const faults = Object.entries(happened).map(([kind, count]) => `${kind} ${count}`)
  console.log(`\n${rows}\nfaults: ${faults.join(', ')}`)
  return conclude(options, wrongs(tally) === 0, [
    ...problems,
    ending.crash,
    growth > MAX_GROWTH_BYTES && `the heap has grown by more than ${mebibytes(MAX_GROWTH_BYTES)}`,
  ])
}
