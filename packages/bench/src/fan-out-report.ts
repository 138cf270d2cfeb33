import { CANDIDATES } from './candidate.ts'
import { type FanOutOptions, type FanOutResult, fanOut } from './fan-out.ts'
import { median, spread } from './median.ts'
import type { Progress } from './progress.ts'

interface Row {
  readonly name: string
  readonly description: string
  readonly deliveriesPerSecond: number
  readonly spread: number
  readonly deliveriesPerCpuSecond: number
  readonly serverCpuShare: number
}

/** Measures every candidate in turn, so many times. */
export const measureCandidates = async (options: FanOutOptions, rounds: number, progress: Progress): Promise<Row[]> => {
  const results = new Map<string, FanOutResult[]>(CANDIDATES.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const candidate of CANDIDATES) {
      progress(`round ${round}/${rounds}: ${candidate.name}`)
      results.get(candidate.name)?.push(await fanOut(candidate, options))
    }
  }
  const known = (values: (number | undefined)[]) => values.filter((value) => value !== undefined)
  return CANDIDATES.map(({ name, description }) => {
    const runs = results.get(name) ?? []
    const rates = runs.map(({ deliveriesPerSecond }) => deliveriesPerSecond)
    return {
      name,
      description,
      deliveriesPerSecond: median(rates),
      spread: spread(rates),
      deliveriesPerCpuSecond: median(known(runs.map(({ deliveriesPerCpuSecond }) => deliveriesPerCpuSecond))),
      serverCpuShare: median(known(runs.map(({ serverCpuShare }) => serverCpuShare))),
    }
  })
}

const thousands = (value: number) => `${(value / 1000).toFixed(1)}k`
const percent = (value: number) => `${(value * 100).toFixed(0)}%`

export const fanOutTable = (rows: readonly Row[], { clients, bytes, window }: FanOutOptions, rounds: number): string => {
  const floor = rows.find(({ name }) => name === 'bare')
  const lines = rows.map((row) => {
    const ratio = row.deliveriesPerSecond / (floor?.deliveriesPerSecond ?? Number.NaN)
    const cpuRatio = row.deliveriesPerCpuSecond / (floor?.deliveriesPerCpuSecond ?? Number.NaN)
    return `${row.name.padEnd(10)}${thousands(row.deliveriesPerSecond).padStart(14)}${ratio.toFixed(2).padStart(9)}${percent(row.spread).padStart(8)}${thousands(row.deliveriesPerCpuSecond).padStart(11)}${cpuRatio.toFixed(2).padStart(9)}${percent(row.serverCpuShare).padStart(6)}  ${row.description}`
  })
  return [
    `Fan-out: ${clients} WebSocket clients, ${bytes}-byte messages, ${window === 1 ? 'one at a time' : `${window} under way`}; Node ${process.version}; medians of ${rounds}`,
    '',
    `${'server'.padEnd(10)}${'deliveries/s'.padStart(14)}${'of bare'.padStart(9)}${'spread'.padStart(8)}${'per CPU s'.padStart(11)}${'of bare'.padStart(9)}${'CPU'.padStart(6)}`,
    ...lines,
    '',
    "CPU is the server's share of one core: well below 100% means that the load, not the server, was the limit.",
  ].join('\n')
}
