import { BROKERS, type BrokerName } from './cluster/broker.ts'
import { type ClusterMeasured, type ClusterOptions, type Measured, measureCluster, WAYS } from './cluster/measure.ts'
import { median, spread } from './median.ts'
import type { Progress } from './progress.ts'

export interface ClusterRow {
  readonly broker: BrokerName
  readonly nodes: number
  readonly way: string
  readonly publishesPerSecond: number
  readonly spread: number
  /** Of the bare loop over the same broker, in the same round. */
  readonly ofBare: number
  readonly brokerMicroseconds: number
  readonly nodeMicroseconds: number
  readonly p50: number
  readonly p99: number
}

export interface ClusterSelection {
  readonly brokers: readonly BrokerName[]
  readonly nodes: readonly number[]
}

export const EVERYTHING: ClusterSelection = { brokers: BROKERS, nodes: [1, 2, 3] }

const rowOf = (
  { broker, nodes, way }: Pick<ClusterRow, 'broker' | 'nodes' | 'way'>,
  rounds: readonly ClusterMeasured[],
  pick: (round: ClusterMeasured) => Measured,
): ClusterRow => {
  const runs = rounds.map(pick)
  const rates = runs.map(({ publishesPerSecond }) => publishesPerSecond)
  const of = (value: (run: Measured) => number): number => median(runs.map(value))
  return {
    broker,
    nodes,
    way,
    publishesPerSecond: median(rates),
    spread: spread(rates),
    ofBare: median(rounds.map((round) => pick(round).publishesPerSecond / round.bare.publishesPerSecond)),
    brokerMicroseconds: of(({ brokerMicroseconds }) => brokerMicroseconds),
    nodeMicroseconds: of(({ nodeMicroseconds }) => nodeMicroseconds),
    p50: of(({ latency }) => latency?.p50 ?? Number.NaN),
    p99: of(({ latency }) => latency?.p99 ?? Number.NaN),
  }
}

/** Measures each broker with each number of nodes in turn, so many times. */
export const measureClusters = async (
  { brokers, nodes }: ClusterSelection,
  options: ClusterOptions,
  rounds: number,
  progress: Progress,
): Promise<ClusterRow[]> => {
  const cases = brokers.flatMap((broker) => nodes.map((count) => ({ broker, nodes: count, results: [] as ClusterMeasured[] })))
  for (let round = 1; round <= rounds; round++)
    for (const { broker, nodes: count, results } of cases) {
      progress(`round ${round}/${rounds}: ${broker}, ${count} ${count === 1 ? 'node' : 'nodes'}`)
      results.push(await measureCluster(broker, count, options))
    }
  return cases.flatMap(({ broker, nodes: count, results }) => [
    rowOf({ broker, nodes: count, way: 'bare' }, results, ({ bare }) => bare),
    ...WAYS.map((way) => rowOf({ broker, nodes: count, way }, results, ({ ways }) => ways[way])),
  ])
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  bare: 'the same commands from the same client library, and as many that only listen',
  embedded: 'createFusewire(…).publish() in a program',
  websocket: 'publish messages on one WebSocket, pipelined',
  http: 'POST /v1/batch over one HTTP/2 connection',
}

const number = (value: number, digits = 0): string => (Number.isNaN(value) ? '' : value.toFixed(digits))

export const clusterTable = (rows: readonly ClusterRow[], options: ClusterOptions, rounds: number): string => {
  const { bytes, channels, depth } = options
  const lines = rows.map((row) =>
    [
      row.broker.padEnd(7),
      String(row.nodes).padStart(5),
      `  ${row.way.padEnd(10)}`,
      number(row.publishesPerSecond).padStart(12),
      number(row.ofBare, 2).padStart(8),
      `${number(row.spread * 100)}%`.padStart(8),
      number(row.brokerMicroseconds, 1).padStart(12),
      number(row.nodeMicroseconds, 1).padStart(10),
      number(row.p50, 2).padStart(9),
      number(row.p99, 2).padStart(9),
    ].join(''),
  )
  return [
    `Clusters: ${bytes}-byte publications to ${channels} channels, ${depth} under way, a subscriber of all on each node; Node ${process.version}; medians of ${rounds}`,
    '',
    `${'broker'.padEnd(7)}${'nodes'.padStart(5)}  ${'published'.padEnd(10)}${'publishes/s'.padStart(12)}${'of bare'.padStart(8)}${'spread'.padStart(8)}${'broker µs'.padStart(12)}${'node µs'.padStart(10)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}`,
    ...lines,
    '',
    ...Object.entries(DESCRIPTIONS).map(([way, description]) => `${way}: ${description}`),
    '',
    'µs: CPU time of the broker, and of the node that is published to, for each publication. p50, p99: from the call that publishes until',
    'a subscriber has it, on any node, at half of the rate.',
  ].join('\n')
}
