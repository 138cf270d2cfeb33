import { median } from './median.ts'
import type { Progress } from './progress.ts'
import { POLICIES, type Policy, type SlowConsumerOptions, type SlowConsumerResult, slowConsumer } from './slow-consumer.ts'

const FIGURES = [
  { name: 'p50Ms', title: 'latency p50, ms', digits: 2 },
  { name: 'p99Ms', title: 'latency p99, ms', digits: 2 },
  { name: 'deliveriesPerSecond', title: 'deliveries/s', digits: 0 },
  { name: 'deliveriesPerCpuSecond', title: 'deliveries/CPU s', digits: 0 },
] as const

interface Row {
  readonly policy: Policy
  readonly figure: (typeof FIGURES)[number]
  /** Medians. */
  readonly without: number
  readonly with: number
  /** Of each pair of runs that followed one another, with to without: the median, the smallest and the largest. */
  readonly ratio: number
  readonly smallest: number
  readonly largest: number
}

interface Pair {
  readonly without: SlowConsumerResult
  readonly with: SlowConsumerResult
}

/** Measures without and with a stalled reader, by turns (A B, B A, A B, …), so many times for each policy. */
export const measurePolicies = async (
  options: Omit<SlowConsumerOptions, 'policy' | 'isOneStalled'>,
  rounds: number,
  progress: Progress,
): Promise<Row[]> => {
  const pairs = new Map<Policy, Pair[]>(POLICIES.map((policy) => [policy, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const policy of POLICIES) {
      const measure = (isOneStalled: boolean): Promise<SlowConsumerResult> => {
        progress(`round ${round}/${rounds}: ${policy}, ${isOneStalled ? 'one stalled' : 'all read'}`)
        return slowConsumer({ ...options, policy, isOneStalled })
      }
      // Whoever comes second always might find another machine.
      const isStalledFirst = round % 2 === 0
      const first = await measure(isStalledFirst)
      const second = await measure(!isStalledFirst)
      pairs.get(policy)?.push(isStalledFirst ? { without: second, with: first } : { without: first, with: second })
    }
  }
  return POLICIES.flatMap((policy) => FIGURES.map((figure) => compare(policy, figure, pairs.get(policy) ?? [])))
}

const compare = (policy: Policy, figure: (typeof FIGURES)[number], pairs: readonly Pair[]): Row => {
  const { name } = figure
  const ratios = pairs.map((pair) => pair.with[name] / pair.without[name])
  return {
    policy,
    figure,
    without: median(pairs.map(({ without }) => without[name])),
    with: median(pairs.map((pair) => pair.with[name])),
    ratio: median(ratios),
    smallest: Math.min(...ratios),
    largest: Math.max(...ratios),
  }
}

export const slowConsumerTable = (
  rows: readonly Row[],
  { readers, bytes }: Pick<SlowConsumerOptions, 'readers' | 'bytes'>,
  rounds: number,
): string => {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index < 2 ? cell.padEnd(18) : cell.padStart(12))).join('')
  return [
    `Slow consumer: ${readers} WebSocket readers, ${bytes}-byte messages, one at a time, and one more that reads nothing; Node ${process.version}; medians of ${rounds}`,
    '',
    line(['slowConsumer', 'of the readers', 'all read', 'one stalled', 'ratio', 'smallest', 'largest']),
    ...rows.map(({ policy, figure: { title, digits }, ...row }) =>
      line([
        policy,
        title,
        row.without.toFixed(digits),
        row.with.toFixed(digits),
        row.ratio.toFixed(3),
        row.smallest.toFixed(3),
        row.largest.toFixed(3),
      ]),
    ),
    '',
    'The ratios are those of pairs of runs that followed one another.',
  ].join('\n')
}
