import { median } from '../frame/statistics.ts'
import type { BrokerName } from './broker.ts'
import { type Cluster, type Lane, openCluster, WAYS, type Way } from './cluster.ts'
import type { Latency } from './listeners.ts'
import type { Load, Percentiles, Sent } from './window.ts'

export interface ClusterOptions {
  /** Of each configuration in each round, at half of its rate; the windows in which it goes as fast as it can are a quarter of that. */
  readonly durationMs: number
  readonly depth: number
  readonly channels: number
  readonly bytes: number
}

/** As fast as it goes, in one window. */
export interface Rate {
  readonly publishesPerSecond: number
  /** CPU time of the broker, and of the process that publishes to it, in microseconds for each publication. */
  readonly brokerMicroseconds: number
  readonly nodeMicroseconds: number
}

/** At half of the rate. */
export interface HalfRate {
  /** From when a publication was due until a subscriber had it; undefined for the bare loop. */
  readonly delivered: Latency | undefined
  /** How late publications were made, and how long they then took to be acknowledged. */
  readonly late: Percentiles
  readonly acknowledged: Percentiles
  /** Share of the time for which the process that publishes to the broker waited for a core. */
  readonly coreWaitShare: number
}

/** What one round has given for one number of nodes. */
export interface ClusterMeasured {
  readonly nodes: number
  /** By window: in each, every way once, one after the other. */
  readonly windows: readonly Readonly<Record<Way, Rate>>[]
  readonly half: Readonly<Record<Way, HalfRate>>
}

const WARM_UP_MS = 200
/** Windows of each configuration: the shorter they are, the more alike is what else the machine does for neighbours. */
const WINDOWS = 3
const WINDOW_SHARE = 1 / 4

const withoutRefusals = (sent: Sent): Sent => {
  const { acknowledged, failed, failure } = sent
  if (failed > 0) throw new Error(`${failed} of ${failed + acknowledged} publications failed: ${failure}`)
  return sent
}

const measureRate = async ({ publisher, brokerSeconds, nodeSeconds }: Lane, load: Load): Promise<Rate> => {
  const before = [brokerSeconds(), nodeSeconds()]
  const { acknowledged, seconds } = withoutRefusals(await publisher.run(load))
  const after = [brokerSeconds(), nodeSeconds()]
  const microseconds = (index: number): number =>
    (((after[index] ?? Number.NaN) - (before[index] ?? Number.NaN)) * 1e6) / acknowledged
  return { publishesPerSecond: acknowledged / seconds, brokerMicroseconds: microseconds(0), nodeMicroseconds: microseconds(1) }
}

const measureHalf = async ({ nodes, listeners, lanes }: Cluster, way: Way, load: Load): Promise<HalfRate> => {
  const isHeard = way !== 'bare'
  await listeners.quiet()
  if (isHeard) listeners.measure()
  const { publisher, coreWaitSeconds } = lanes[way]
  const waitedBefore = coreWaitSeconds() ?? Number.NaN
  const { acknowledged, paced, seconds } = withoutRefusals(await publisher.run(load))
  const coreWaitShare = ((coreWaitSeconds() ?? Number.NaN) - waitedBefore) / seconds
  const delivered = isHeard ? await listeners.latency(acknowledged * nodes) : undefined
  if (!paced) throw new Error('there was no rate')
  return { delivered, late: paced.late, acknowledged: paced.acknowledged, coreWaitShare }
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
 * One round over one kind of broker. All clusters are there all the time. In each window the bare loop and each way to publish have
 * their turn, cluster by cluster, every other time backwards; the others do nothing meanwhile.
 */
export const measureRound = async (
  name: BrokerName,
  counts: readonly number[],
  { durationMs, ...load }: ClusterOptions,
): Promise<ClusterMeasured[]> => {
  const clusters: Cluster[] = []
  try {
    for (const count of counts) clusters.push(await openCluster(name, count, load.channels))
    const windows = clusters.map((): Record<Way, Rate>[] => [])
    for (const { lanes } of clusters)
      for (const way of WAYS) withoutRefusals(await lanes[way].publisher.run({ ...load, durationMs: WARM_UP_MS }))
    for (let index = 0; index < WINDOWS; index++)
      for (const [at, { lanes, listeners }] of clusters.entries()) {
        const measure = async (way: Way): Promise<Rate> => {
          await listeners.quiet()
          return measureRate(lanes[way], { ...load, durationMs: durationMs * WINDOW_SHARE })
        }
        windows[at]?.push(await inEveryWay(measure, index % 2 === 0 ? WAYS : WAYS.toReversed()))
      }
    const results: ClusterMeasured[] = []
    for (const [at, cluster] of clusters.entries()) {
      const rates = windows[at] ?? []
      const halfOf = (way: Way): number => median(rates.map((window) => window[way].publishesPerSecond)) / 2
      const half = await inEveryWay((way) => measureHalf(cluster, way, { ...load, durationMs, rate: halfOf(way) }), WAYS)
      results.push({ nodes: cluster.nodes, windows: rates, half })
    }
    return results
  } finally {
    for (const cluster of clusters) await cluster.close()
  }
}
