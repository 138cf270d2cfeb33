import { availableParallelism } from 'node:os'
import { median } from '../frame/statistics.ts'
import { stolenSeconds } from '../load/core-time.ts'
import type { BrokerName } from './broker.ts'
import { type Cluster, type Lane, openCluster, relayOf, WAYS, type Way } from './cluster.ts'
import { goFirst } from './go-first.ts'
import type { Latency } from './listeners.ts'
import { clock, type Load, type Percentiles, type Sent } from './window.ts'

export interface ClusterOptions {
  /** Of each configuration in each round, at half of its rate; the windows in which it goes as fast as it can are a fifth of that. */
  readonly durationMs: number
  readonly depth: number
  readonly channels: number
  readonly bytes: number
}

/** As fast as it goes, in one window. */
export interface Rate {
  /** That were acknowledged, until the last was. */
  readonly publishesPerSecond: number
  /** That all subscribers have had, until the last had it; of the bare loop the same as above. */
  readonly deliveredPerSecond: number
  readonly microseconds: CpuTimes
}

/** CPU time in microseconds for each publication; NaN where the system does not tell. */
export interface CpuTimes {
  readonly broker: number
  /** The process that publishes to the broker. */
  readonly node: number
  /** The other nodes together. */
  readonly others: number
  /** The load, which has all subscribers, and those who publish over the network. */
  readonly load: number
}

/** At half of the rate. */
export interface HalfRate {
  /** Undefined for the bare loop, which has no subscribers. */
  readonly delivered: Latency | undefined
  /**
   * 99th percentile of the relay that publishes in the same way, at this same rate, in milliseconds from when a publication was due;
   * infinite where the relay cannot keep up with it. Undefined for relays, and for the bare loop.
   */
  readonly relayP99: number | undefined
  /** How late publications were made, and how long they then took to be acknowledged. */
  readonly late: Percentiles
  readonly acknowledged: Percentiles
  /** CPU time of the broker, and of the process that publishes to it, in microseconds for each publication. */
  readonly brokerMicroseconds: number
  readonly nodeMicroseconds: number
  /** Share of the time for which the broker, and the process that publishes to it, had something to do and no core to do it on; that of the broker is of all its threads together. */
  readonly brokerWaitShare: number
  readonly nodeWaitShare: number
  /** Share of all cores' time that the hypervisor gave to others. */
  readonly stolenShare: number
}

/** What one round has given for one number of nodes. */
export interface ClusterMeasured {
  readonly nodes: number
  /** By window: in each, every way once, one after the other. */
  readonly windows: readonly Readonly<Record<Way, Rate>>[]
  readonly half: Readonly<Record<Way, HalfRate>>
}

/**
 * Of each configuration, before it is measured as fast as it can and again before it is at half of its rate, where a node does other
 * things: until its code has been compiled it takes twice the CPU time, and the compiler takes cores.
 */
const WARM_UP_MS = 600
/** Windows of each configuration: the shorter they are, the more alike is what else the machine does for neighbours. */
const WINDOWS = 3
const WINDOW_SHARE = 1 / 5

const withoutRefusals = (sent: Sent): Sent => {
  const { acknowledged, failed, failure } = sent
  if (failed > 0) throw new Error(`${failed} of ${failed + acknowledged} publications failed: ${failure}`)
  return sent
}

/** Publishes, and waits until every subscriber has everything. Gives when that was, too. */
const publishAndHear = async (
  { publisher, listeners }: Lane,
  load: Load,
): Promise<{ readonly sent: Sent; readonly heardSeconds: number }> => {
  listeners?.begin(load.rate !== undefined)
  const beganAt = clock()
  const sent = withoutRefusals(await publisher.run(load))
  const heardAt = await listeners?.heard(sent.acknowledged)
  return { sent, heardSeconds: heardAt === undefined ? sent.seconds : (heardAt - beganAt) / 1000 }
}

const ownSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

const measureRate = async (lane: Lane, load: Load): Promise<Rate> => {
  const { brokerSeconds, nodeSeconds, othersSeconds } = lane
  const spent = (): (number | undefined)[] => [brokerSeconds(), nodeSeconds(), othersSeconds(), ownSeconds()]
  const before = spent()
  const { sent, heardSeconds } = await publishAndHear(lane, load)
  const { acknowledged, seconds } = sent
  const after = spent()
  const microseconds = (index: number): number =>
    (((after[index] ?? Number.NaN) - (before[index] ?? Number.NaN)) * 1e6) / acknowledged
  return {
    publishesPerSecond: acknowledged / seconds,
    deliveredPerSecond: acknowledged / Math.max(seconds, heardSeconds),
    microseconds: { broker: microseconds(0), node: microseconds(1), others: microseconds(2), load: microseconds(3) },
  }
}

const measureHalf = async (lane: Lane, load: Load): Promise<Omit<HalfRate, 'relayP99'>> => {
  const { listeners, brokerSeconds, nodeSeconds, brokerWaitSeconds, nodeWaitSeconds } = lane
  const look = (): (number | undefined)[] => [
    brokerWaitSeconds(),
    nodeWaitSeconds(),
    stolenSeconds(),
    brokerSeconds(),
    nodeSeconds(),
  ]
  await publishAndHear(lane, { ...load, durationMs: WARM_UP_MS })
  const before = look()
  const { sent } = await publishAndHear(lane, load)
  const after = look()
  const spent = (index: number): number => (after[index] ?? Number.NaN) - (before[index] ?? Number.NaN)
  const { paced } = sent
  if (!paced) throw new Error('there was no rate')
  return {
    delivered: listeners?.latency(),
    late: paced.late,
    acknowledged: paced.acknowledged,
    brokerMicroseconds: (spent(3) * 1e6) / sent.acknowledged,
    nodeMicroseconds: (spent(4) * 1e6) / sent.acknowledged,
    brokerWaitShare: spent(0) / sent.seconds,
    nodeWaitShare: spent(1) / sent.seconds,
    stolenShare: spent(2) / sent.seconds / availableParallelism(),
  }
}

/** Of a relay at the rate of another way: where publications fail or are not delivered, that is the relay's result, and not the end of the run. */
const relayP99At = async (relay: Lane, load: Load): Promise<number | undefined> => {
  try {
    return (await measureHalf(relay, load)).delivered?.fromDue.p99
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

const inEveryWay = async <T>(measure: (way: Way) => Promise<T>, order: readonly Way[]): Promise<Record<Way, T>> => {
  const results = {} as Record<Way, T>
  for (const way of order)
    results[way] = await measure(way).catch((error: Error) => {
      throw new Error(`${way}: ${error.message}`, { cause: error })
    })
  return results
}

/**
 * In each window the bare loop and each way to publish have their turn, cluster by cluster, every other time backwards; the others do
 * nothing meanwhile.
 */
const measureByTurns = async (
  clusters: readonly Cluster[],
  { durationMs, ...load }: ClusterOptions,
): Promise<ClusterMeasured[]> => {
  const windows = clusters.map((): Record<Way, Rate>[] => [])
  for (const { lanes } of clusters) for (const way of WAYS) await publishAndHear(lanes[way], { ...load, durationMs: WARM_UP_MS })
  for (let index = 0; index < WINDOWS; index++)
    for (const [at, { lanes }] of clusters.entries()) {
      const measure = (way: Way) => measureRate(lanes[way], { ...load, durationMs: durationMs * WINDOW_SHARE })
      windows[at]?.push(await inEveryWay(measure, index % 2 === 0 ? WAYS : WAYS.toReversed()))
    }
  const results: ClusterMeasured[] = []
  for (const [at, { nodes, lanes }] of clusters.entries()) {
    const rates = windows[at] ?? []
    // What only fills queues while it is acknowledged is no rate that can be held.
    const halfOf = (way: Way): number => median(rates.map((window) => window[way].deliveredPerSecond)) / 2
    const measure = async (way: Way): Promise<HalfRate> => {
      const atHalf = { ...load, durationMs, rate: halfOf(way) }
      const half = await measureHalf(lanes[way], atHalf)
      const relay = relayOf(way)
      return { ...half, relayP99: relay && (await relayP99At(lanes[relay], atHalf)) }
    }
    const half = await inEveryWay(measure, WAYS)
    results.push({ nodes, windows: rates, half })
  }
  return results
}

/** One round over one kind of broker. All clusters are there all the time. */
export const measureRound = async (
  name: BrokerName,
  counts: readonly number[],
  options: ClusterOptions,
): Promise<ClusterMeasured[]> => {
  const clusters: Cluster[] = []
  try {
    for (const count of counts) clusters.push(await openCluster(name, count, options.channels))
    const goUsually = goFirst()
    try {
      return await measureByTurns(clusters, options)
    } finally {
      goUsually()
    }
  } finally {
    for (const cluster of clusters) await cluster.close()
  }
}
