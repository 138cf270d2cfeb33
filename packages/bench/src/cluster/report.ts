import type { OnProgress } from '../frame/run-scenario.ts'
import { median, middleHalf } from '../frame/statistics.ts'
import { textTable } from '../frame/text-table.ts'
import { BROKERS, type BrokerName } from './broker.ts'
import { relayOf, WAYS, type Way } from './cluster.ts'
import { type ClusterMeasured, type ClusterOptions, type CpuTimes, type HalfRate, measureRound, type Rate } from './measure.ts'

export interface ClusterRow {
  readonly broker: BrokerName
  readonly nodes: number
  readonly way: Way
  readonly publishesPerSecond: number
  readonly deliveredPerSecond: number
  /** Of the bare loop's publications, and of those of the relay that publishes in the same way, which had their turns in the same window. */
  readonly ofBare: number
  readonly ofBareMiddleHalf: readonly [lower: number, upper: number]
  readonly ofRelay: number
  readonly ofRelayMiddleHalf: readonly [lower: number, upper: number]
  readonly microseconds: CpuTimes
  /** CPU time of all for a publication of the bare loop, by that for one of this way: the ratio of what the same cores allow. */
  readonly ofBareCpu: number
  /** Milliseconds at half of the rate until a subscriber has it, from when it was due and from when it was made. Of the bare loop NaN. */
  readonly p50: number
  readonly p99: number
  readonly fromMadeP99: number
  readonly p99MiddleHalf: readonly [lower: number, upper: number]
  /** The same of the relay at this way's rate, infinite where the relay cannot keep up. Of relays and of the bare loop NaN. */
  readonly relayP99: number
  /** From when it was made until it is acknowledged. */
  readonly acknowledgedP99: number
  /** Of p99, what is the load's own: how late it was made, and how late the process of the subscribers was. */
  readonly madeLateP99: number
  readonly listenersLateP99: number
  /** Shares of the time at half of the rate for which the broker, and the process that publishes to it, waited for a core. */
  readonly halfBrokerMicroseconds: number
  readonly halfNodeMicroseconds: number
  readonly brokerWaitShare: number
  readonly nodeWaitShare: number
  /** Share of all cores' time meanwhile that the hypervisor gave to others. */
  readonly stolenShare: number
}

export interface ClusterSelection {
  readonly brokers: readonly BrokerName[]
  readonly nodes: readonly number[]
}

export const EVERYTHING: ClusterSelection = { brokers: BROKERS, nodes: [1, 2, 3] }

const allOf = ({ broker, node, others, load }: CpuTimes): number => broker + node + others + load

const rowOf = (broker: BrokerName, way: Way, rounds: readonly ClusterMeasured[]): ClusterRow => {
  const windows = rounds.flatMap((round) => round.windows)
  const rate = (value: (rate: Rate) => number): number => median(windows.map((window) => value(window[way])))
  const ratios = (other: Way | undefined): number[] =>
    windows.map((window) => window[way].publishesPerSecond / (other ? window[other].publishesPerSecond : Number.NaN))
  const [ofBare, ofRelay] = [ratios('bare loop'), ratios(relayOf(way))]
  const halves = rounds.map(({ half }) => half[way])
  const of = (value: (half: HalfRate) => number | undefined): number[] => halves.map((half) => value(half) ?? Number.NaN)
  const p99s = of(({ delivered }) => delivered?.fromDue.p99)
  return {
    broker,
    nodes: rounds[0]?.nodes ?? 0,
    way,
    publishesPerSecond: rate(({ publishesPerSecond }) => publishesPerSecond),
    deliveredPerSecond: rate(({ deliveredPerSecond }) => deliveredPerSecond),
    ofBare: median(ofBare),
    ofBareMiddleHalf: middleHalf(ofBare),
    ofRelay: median(ofRelay),
    ofRelayMiddleHalf: middleHalf(ofRelay),
    microseconds: {
      broker: rate(({ microseconds }) => microseconds.broker),
      node: rate(({ microseconds }) => microseconds.node),
      others: rate(({ microseconds }) => microseconds.others),
      load: rate(({ microseconds }) => microseconds.load),
    },
    ofBareCpu: median(windows.map((window) => allOf(window['bare loop'].microseconds) / allOf(window[way].microseconds))),
    p50: median(of(({ delivered }) => delivered?.fromDue.p50)),
    p99: median(p99s),
    p99MiddleHalf: middleHalf(p99s),
    relayP99: median(of((half) => half.relayP99)),
    fromMadeP99: median(of(({ delivered }) => delivered?.fromMade.p99)),
    acknowledgedP99: median(of(({ acknowledged }) => acknowledged.p99)),
    madeLateP99: median(of(({ late }) => late.p99)),
    listenersLateP99: median(of(({ delivered }) => delivered?.listenersLateP99)),
    halfBrokerMicroseconds: median(of((half) => half.brokerMicroseconds)),
    halfNodeMicroseconds: median(of((half) => half.nodeMicroseconds)),
    brokerWaitShare: median(of((half) => half.brokerWaitShare)),
    nodeWaitShare: median(of((half) => half.nodeWaitShare)),
    stolenShare: median(of((half) => half.stolenShare)),
  }
}

/** Measures the clusters over each broker by turns, so many times. */
export const measureClusters = async (
  { brokers, nodes }: ClusterSelection,
  options: ClusterOptions,
  rounds: number,
  onProgress: OnProgress,
): Promise<ClusterRow[]> => {
  const results = new Map<BrokerName, ClusterMeasured[][]>(brokers.map((broker) => [broker, []]))
  let done = 0
  for (let round = 1; round <= rounds; round++)
    for (const [broker, measured] of results) {
      onProgress(done++ / (rounds * brokers.length), `round ${round}/${rounds}: ${broker}, ${nodes.join(', ')} nodes`)
      measured.push(await measureRound(broker, nodes, options))
    }
  return [...results].flatMap(([broker, measured]) =>
    nodes.flatMap((_, at) =>
      WAYS.map((way) =>
        rowOf(
          broker,
          way,
          measured.flatMap((round) => round[at] ?? []),
        ),
      ),
    ),
  )
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  'bare loop':
    'the command of a single publication, again and again, from the same client library; as many processes that listen; a broker of its own',
  embedded: 'createFusewire(…).publish() in a program',
  websocket: 'publish messages on one WebSocket, pipelined',
  http: 'POST /v1/batch over one HTTP/2 connection',
  relay:
    'the bare loop’s commands in as many processes as there are nodes, which take and give the same messages and do nothing else',
}

const number = (value: number, digits = 0): string => (Number.isNaN(value) ? '' : value.toFixed(digits))
const range = (ends: readonly number[], digits: number): string =>
  ends.some(Number.isNaN) ? '' : ends.map((end) => number(end, digits)).join('–')
const percent = (share: number): string => (Number.isNaN(share) ? '' : `${number(share * 100, 1)}%`)

interface Column {
  readonly title: string
  readonly cell: (row: ClusterRow) => string
}

const COLUMNS: readonly Column[] = [
  { title: 'publishes/s', cell: (row) => number(row.publishesPerSecond) },
  { title: 'delivered/s', cell: (row) => number(row.deliveredPerSecond) },
  { title: 'of bare', cell: (row) => number(row.ofBare, 2) },
  { title: 'of relay', cell: (row) => number(row.ofRelay, 2) },
  { title: 'mid half', cell: (row) => range(row.ofRelayMiddleHalf, 2) },
  { title: 'broker µs', cell: (row) => number(row.microseconds.broker, 1) },
  { title: 'node µs', cell: (row) => number(row.microseconds.node, 1) },
  { title: 'others µs', cell: (row) => number(row.microseconds.others, 1) },
  { title: 'load µs', cell: (row) => number(row.microseconds.load, 1) },
  { title: 'all µs', cell: (row) => number(allOf(row.microseconds), 1) },
  { title: 'CPU of bare', cell: (row) => number(row.ofBareCpu, 2) },
  { title: 'p50 ms', cell: (row) => number(row.p50, 2) },
  { title: 'p99 ms', cell: (row) => number(row.p99, 2) },
  { title: 'mid half', cell: (row) => range(row.p99MiddleHalf, 1) },
  { title: 'relay p99', cell: (row) => (row.relayP99 === Number.POSITIVE_INFINITY ? '-' : number(row.relayP99, 2)) },
  { title: 'from made', cell: (row) => number(row.fromMadeP99, 2) },
  { title: 'ack', cell: (row) => number(row.acknowledgedP99, 2) },
  { title: 'made late', cell: (row) => number(row.madeLateP99, 2) },
  { title: 'read late', cell: (row) => number(row.listenersLateP99, 2) },
  { title: 'half µs', cell: (row) => `${number(row.halfBrokerMicroseconds, 1)} ${number(row.halfNodeMicroseconds, 1)}` },
  { title: 'no core', cell: (row) => `${percent(row.brokerWaitShare)} ${percent(row.nodeWaitShare)}` },
  { title: 'stolen', cell: (row) => percent(row.stolenShare) },
]

export const clusterTable = (rows: readonly ClusterRow[], options: ClusterOptions, rounds: number): string => {
  const { bytes, channels, depth } = options
  return [
    `Clusters: ${bytes}-byte publications to ${channels} channels, ${depth} under way, a subscriber of all on each node; Node ${process.version}; ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, medians`,
    '',
    textTable({
      header: ['broker', 'nodes', 'published', ...COLUMNS.map(({ title }) => title)],
      rows: rows.map((row) => [row.broker, String(row.nodes), row.way, ...COLUMNS.map(({ cell }) => cell(row))]),
      leftColumns: 3,
    }),
    '',
    ...Object.entries(DESCRIPTIONS).map(([way, description]) => `${way}: ${description}`),
    '',
    'publishes/s: acknowledged. delivered/s: until all subscribers have them. of bare, of relay: publications a second by those of the bare',
    'loop, and of the relay that publishes in the same way, which have their turns just before or after, window by window. mid half: where',
    'the middle half of the measurements lies. µs: CPU time for each publication, of the broker, of the process that publishes to it (node), of',
    'the other nodes together, of the load, which has all subscribers and those who publish by WebSocket and HTTP, and of all of them. CPU of',
    'bare: that of all for a publication of the bare loop, by that of this way; it is the ratio that is left on cores that are all busy.',
    'p50, p99: at half of delivered/s, open loop, from when a publication was due until a subscriber has it, on any node; relay p99: that of',
    'the relay that publishes in the same way, at this same rate, and - where the relay cannot keep up with it. Of p99, 99th percentiles:',
    'from made: without how late the load made it; ack: from then until it is acknowledged; made late, read late: how late publications are',
    'made, and how late the process is that has all subscribers. half µs: CPU time as above, at half of the rate. no core: how much of the',
    'time the threads of the broker together, and the process that publishes to it, had something to do and no core to do it on; stolen: how',
    'much of the time of all cores the hypervisor gave to others.',
  ].join('\n')
}
