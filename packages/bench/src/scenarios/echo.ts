import { setTimeout as delay } from 'node:timers/promises'
import { Samples } from '../frame/samples.ts'
import type { OpenTrial, RunOptions, Sample, Scenario, Trial } from '../frame/scenario.ts'
import { quantile } from '../frame/statistics.ts'
import { bare, type Candidate, fusewire, fusewireRpc, type ReachableServer, socketIo, wsNaive } from '../load/candidates.ts'
import { rates, startMeter } from '../load/load-meter.ts'
import { openLoad } from '../load/on-server.ts'
import { Latencies, Schedule } from '../load/open-loop.ts'
import { until } from '../load/until.ts'
import { type LoadClient, openWebSocket } from '../load/web-socket-client.ts'
import { externalCandidate } from './external-candidate.ts'
import { rateMeasures } from './rate-measures.ts'

const CONNECTIONS = 50
/**
 * Questions of one connection under way, to find out the largest rate: one, since those that come evenly come one by one. With several, a
 * server that reads and answers them together reaches a rate half of which takes nearly all of its core when they come one by one.
 */
const DEPTH = 1
const SHARES = [0.1, 0.5, 0.9] as const
const DURATION_MS = 4000
const WINDOWS = 4
const WARM_UP_MS = 1500
/**
 * With questions that come evenly: what a server does once in a turn is compiled only when turns are as many as there are questions, and
 * the threads that compile would have its core while it is measured.
 */
const EVEN_WARM_UP_MS = 2500
/** For which the largest rate is looked for, in each window anew: it is that of the machine as it is then. */
const CALIBRATION_MS = 500
const SETTLE_MS = 200

interface Load {
  readonly connections: number
  readonly bytes: number
  readonly durationMs: number
  /** Of the largest rate. */
  readonly share: number
}

interface Asker {
  readonly client: LoadClient
  /** Called with so many answers. */
  onAnswers: (answers: number) => void
}

const openAskers = async (server: ReachableServer, { dialect }: Candidate, connections: number): Promise<readonly Asker[]> => {
  const askers: Asker[] = []
  let introductions = 0
  for (let connection = 0; connection < connections; connection++) {
    const state = {
      onAnswers: (answers: number): void => {
        introductions += answers
      },
    }
    const client = await openWebSocket(server.address, { dialect }, (answers) => state.onAnswers(answers))
    for (const frame of dialect.introduce) client.write(frame)
    askers.push(Object.assign(state, { client }))
  }
  await until(() => introductions === connections * dialect.introductions, 'clients are not connected')
  return askers
}

/** Each connection has so many questions under way all the time. Resolves with the answers a second. */
const measureLargestRate = async (askers: readonly Asker[], frame: Buffer, durationMs: number): Promise<number> => {
  let [answered, asked] = [0, 0]
  const begin = performance.now()
  for (const asker of askers)
    asker.onAnswers = (answers) => {
      answered += answers
      if (performance.now() - begin >= durationMs) return
      for (let answer = 0; answer < answers; answer++) asker.client.write(frame)
      asked += answers
    }
  for (const { client } of askers) for (let question = 0; question < DEPTH; question++) client.write(frame)
  asked += askers.length * DEPTH
  await until(() => answered === asked, 'answers are missing')
  return answered / ((performance.now() - begin) / 1000)
}

/** Sorted, in milliseconds. */
interface Asked {
  /** From when a question was due until it was asked: what the load is to blame for. */
  readonly late: Float64Array
  /** From when it was due until it was answered. */
  readonly answered: Float64Array
}

/** Asks evenly at a rate, whatever becomes of the answers, each connection in its turn. */
const askEvenly = async (askers: readonly Asker[], frame: Buffer, perSecond: number, durationMs: number): Promise<Asked> => {
  const late = new Samples()
  const answered = new Samples()
  const latencies = askers.map((asker) => {
    const own = new Latencies(answered)
    asker.onAnswers = (answers) => own.answer(answers, performance.now())
    return own
  })
  const begin = performance.now()
  const schedule = new Schedule(begin, perSecond)
  let turn = 0
  while (performance.now() - begin < durationMs) {
    const now = performance.now()
    for (let due = schedule.take(now); due !== undefined; due = schedule.take(now)) {
      late.add(now - due)
      latencies[turn]?.begin(due)
      askers[turn]?.client.write(frame)
      turn = (turn + 1) % askers.length
    }
    await new Promise(setImmediate)
  }
  await until(() => latencies.every(({ pending }) => pending === 0), 'answers are missing')
  return { late: late.sorted(), answered: answered.sorted() }
}

const openEcho = (candidate: Candidate, { connections, bytes, durationMs, share }: Load): Promise<OpenTrial> =>
  openLoad(candidate, async (server) => {
    const askers = await openAskers(server, candidate, connections)
    const frame = candidate.dialect.echo('x'.repeat(bytes))
    const first = await measureLargestRate(askers, frame, WARM_UP_MS)
    await askEvenly(askers, frame, first * share, EVEN_WARM_UP_MS)
    return {
      measure: () => measureEcho(server, askers, { frame, durationMs, share }),
      close: () => {
        for (const { client } of askers) client.destroy()
      },
    }
  })

interface Questions extends Pick<Load, 'durationMs' | 'share'> {
  readonly frame: Buffer
}

const measureEcho = async (
  { process }: ReachableServer,
  askers: readonly Asker[],
  { frame, durationMs, share }: Questions,
): Promise<Sample> => {
  const stopMeter = startMeter(process)
  const largest = await measureLargestRate(askers, frame, CALIBRATION_MS)
  const metered = stopMeter()
  await delay(SETTLE_MS)
  const waitedBefore = process?.coreWaitSeconds() ?? Number.NaN
  const askedAt = performance.now()
  const { late, answered } = await askEvenly(askers, frame, largest * share, durationMs)
  const waited = (process?.coreWaitSeconds() ?? Number.NaN) - waitedBefore
  const noCore = (waited * 1000) / (performance.now() - askedAt)
  return {
    ...rates(largest * metered.seconds, metered),
    p50: quantile(answered, 0.5),
    p99: quantile(answered, 0.99),
    p999: quantile(answered, 0.999),
    late: quantile(late, 0.99),
    noCore: Number.isNaN(noCore) ? undefined : noCore,
  }
}

const plan = (options: RunOptions): readonly Trial[] => {
  const { isQuick, clients = CONNECTIONS, bytes = 100, durationMs = DURATION_MS, external } = options
  const candidates = isQuick ? [wsNaive(), fusewire()] : [bare(), wsNaive(), fusewire(), fusewireRpc(), socketIo()]
  return (isQuick ? [0.5] : SHARES).flatMap((share) =>
    [...candidates, ...(external ? [externalCandidate(external)] : [])].map((candidate) => ({
      case: `${share * 100}% of the largest rate`,
      candidate: candidate.name,
      description: candidate.description,
      connections: clients,
      open: () => openEcho(candidate, { connections: clients, bytes, durationMs: durationMs / WINDOWS, share }),
    })),
  )
}

export const ECHO: Scenario = {
  name: 'echo',
  summary:
    "the time from a question to its answer, of an echo and of an rpc method, at 10, 50 and 90 % of each server's own largest rate;\nquestions come evenly, and count from when they were due (corrected for coordinated omission)",
  measures: [
    { name: 'p50', title: 'p50 ms', digits: 3 },
    { name: 'p99', title: 'p99 ms', digits: 3 },
    { name: 'p999', title: 'p999 ms', digits: 3 },
    { name: 'late', title: 'load late p99 ms', digits: 3 },
    { name: 'noCore', title: 'no core', digits: 3 },
    ...rateMeasures('answers').filter(({ name }) => name !== 'loadCpu'),
  ],
  main: 'p99',
  rounds: 11,
  windows: WINDOWS,
  takes: ['clients', 'bytes', 'url'],
  plan,
}
