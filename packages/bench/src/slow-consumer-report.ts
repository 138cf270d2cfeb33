import { median } from './median.ts'
import type { Progress } from './progress.ts'
import { POLICIES, type Policy, type SlowConsumerOptions, type SlowConsumerResult, slowConsumer } from './slow-consumer.ts'

const FIGURES = [
  { name: 'p50Ms', title: 'latency p50, ms', digits: 2 },
  { name: 'p99Ms', title: 'latency p99, ms', digits: 2 },
  { name: 'deliveriesPerSecond', title: 'deliveries/s', digits: 0 },
] as const

interface Row {
  readonly policy: Policy
  readonly figure: string
  readonly without: string
  readonly with: string
  /** With to without. */
  readonly ratio: number
  /** The middle half of the ratios of single pairs; absent for what is measured once. */
  readonly quartiles?: readonly [lower: number, upper: number]
}

/** Measures the readers of a channel without and with a stalled one, for each policy. */
export const measurePolicies = async (options: Omit<SlowConsumerOptions, 'policy'>, progress: Progress): Promise<Row[]> => {
  const rows: Row[] = []
  for (const policy of POLICIES) {
    progress(`slowConsumer: ${policy}`)
    rows.push(...compare(policy, await slowConsumer({ ...options, policy })))
  }
  return rows
}

const compare = (policy: Policy, { pairs, deliveriesPerCpuSecond }: SlowConsumerResult): Row[] => {
  const rows: Row[] = FIGURES.map(({ name, title, digits }) => {
    const ratios = pairs.map((pair) => pair.with[name] / pair.without[name]).sort((a, b) => a - b)
    const half = Math.floor(ratios.length / 2)
    return {
      policy,
      figure: title,
      without: median(pairs.map(({ without }) => without[name])).toFixed(digits),
      with: median(pairs.map((pair) => pair.with[name])).toFixed(digits),
      ratio: median(ratios),
      quartiles: [median(ratios.slice(0, half)), median(ratios.slice(-half))],
    }
  })
  const { without, with: withStalled } = deliveriesPerCpuSecond
  const cpu = { policy, figure: 'deliveries/CPU s', without: without.toFixed(0), with: withStalled.toFixed(0) }
  return [...rows, { ...cpu, ratio: withStalled / without }]
}

export const slowConsumerTable = (
  rows: readonly Row[],
  { readers, bytes, durationMs }: Omit<SlowConsumerOptions, 'policy'>,
): string => {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index < 2 ? cell.padEnd(18) : cell.padStart(13))).join('')
  return [
    `Slow consumer: ${readers} WebSocket readers, ${bytes}-byte messages, one at a time, without and with one more that reads nothing; ${durationMs / 1000} s each, by turns; Node ${process.version}`,
    '',
    line(['slowConsumer', 'of the readers', 'all read', 'one stalled', 'ratio', 'middle half']),
    ...rows.map(({ policy, figure, without, with: withStalled, ratio, quartiles }) =>
      line([
        policy,
        figure,
        without,
        withStalled,
        ratio.toFixed(3),
        quartiles ? quartiles.map((value) => value.toFixed(2)).join('–') : '',
      ]),
    ),
    '',
    'Medians. The ratios are those of pairs of slices that followed one another; that of CPU time is over all of them.',
  ].join('\n')
}
