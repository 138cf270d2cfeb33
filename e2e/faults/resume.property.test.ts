import { FAULT_KINDS, Random } from '@fusewire/testkit'
import { describe, expect } from 'vitest'
import { serverTest } from '../server-test.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { playRound } from './round.ts'
import { SDK_TRANSPORTS } from './sdk-subscriber.ts'
import { RULES } from './stream.ts'
import { Tally } from './tally.ts'

/** `FUSEWIRE_SEED` repeats the choices of a run, though not its timing; `FUSEWIRE_TRIAL` those of one client, again and again. */
const SEED = Number(process.env.FUSEWIRE_SEED ?? Date.now() % 1_000_000)
const ONLY = process.env.FUSEWIRE_TRIAL === undefined ? undefined : Number(process.env.FUSEWIRE_TRIAL)
const BUDGET_MS = Number(process.env.FUSEWIRE_PROPERTY_MS ?? 30_000)
/** How much longer it goes on for what chance has not brought yet: a busy machine has fewer schedules, and connections come later. */
const OVERTIME_MS = 60_000
const CLIENTS = 40
const TRIAL_MS = 1_200

/** Each transport, by the SDK and by hand. */
const SORTS = [
  ...SDK_TRANSPORTS.map((transport) => `SDK by ${transport}`),
  'WebSocket over HTTP/1.1',
  'WebSocket over HTTP/2',
  'stream over HTTP/2',
  'sse over HTTP/2',
  'poll over HTTP/2',
  'raw TCP',
  'one-way SSE',
]

/** Every case of the promise is to be tried, under every fault, by every sort of client. */
const untried = (tally: Tally): string[] => {
  const clients = [...tally.clients.keys()]
  return [
    ...(['recovered', 'lost', 'resumed', 'begunAnew'] as const).filter((count) => tally[count] === 0),
    ...FAULT_KINDS.filter((kind) => tally.happened[kind] === 0),
    ...SORTS.filter((sort) => !clients.some((client) => client.includes(sort))),
  ]
}

const it = serverTest({
  ...DEVELOPMENT,
  // Shorter than some breaks: a session that is gone must not take the position with it.
  logLevel: 'warn',
  sessionTtlMs: 400,
  pingIntervalMs: 1_000,
  pongTimeoutMs: 1_500,
  rules: RULES,
})

describe('the promise of resume [S5] [S6] [S8]', () => {
  const title = `holds under every fault, on all transports: in order, no gap, no duplicate, or recovered: false (seed ${SEED})`
  it(title, { timeout: BUDGET_MS + OVERTIME_MS + 120_000 }, async ({ server, api }) => {
    const random = new Random(SEED)
    const seeds = random.fork()
    const deadline = performance.now() + BUDGET_MS
    const tally = new Tally()
    const isToGoOn = (): boolean => {
      const overdue = performance.now() - deadline
      return overdue < 0 || (ONLY === undefined && overdue < OVERTIME_MS && untried(tally).length > 0)
    }
    const round = await playRound({
      server,
      api,
      random,
      name: 'resume',
      clients: CLIENTS,
      trialMs: TRIAL_MS,
      nextSeed: () => (isToGoOn() ? (ONLY ?? seeds.integer(0, 2 ** 32 - 1)) : undefined),
      onTrial: (outcome) => tally.addTrial(outcome),
    })
    tally.addRound(round)
    expect(tally.violations.map(({ kind, message }) => `${kind}: ${message}`)).toEqual([])
    expect(tally.problems).toEqual([])
    if (ONLY !== undefined) return

    expect(untried(tally)).toEqual([])
    console.info(
      `${tally.trials} schedules, ${tally.published} published, ${tally.delivered} delivered, ${tally.connected} connections`,
    )
  })
})
