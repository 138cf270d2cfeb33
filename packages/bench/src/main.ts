import { parseArgs } from 'node:util'
import { CANDIDATES } from './candidate.ts'
import { type FanOutResult, fanOut } from './fan-out.ts'
import { median, spread } from './median.ts'

const HELP = `Usage: npm run bench -- [fan-out] [options]

Measures how fast a message reaches all subscribers of a channel, with Fusewire beside the bare floor and beside ws.send, interleaved
in one run. Server and clients are processes of their own.

Options:
  --clients N    subscribers (default 1000)
  --bytes N      bytes of a message (default 100)
  --seconds N    how long one measurement publishes (default 3)
  --window N     messages under way at most (default 1: one at a time)
  --rounds N     measurements of each server; the table shows medians (default 5)
  --json         print the results as JSON
  --help

Examples:
  npm run bench
  npm run bench -- --clients 5000 --rounds 3
  npm run bench -- --window 10`

const usage = (message: string): never => {
  console.error(`${message}\n\n${HELP}`)
  process.exit(2)
}

const count = (name: string, text: string): number => {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 ? value : usage(`--${name} must be a positive whole number, not "${text}"`)
}

const read = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        clients: { type: 'string', default: '1000' },
        bytes: { type: 'string', default: '100' },
        seconds: { type: 'string', default: '3' },
        window: { type: 'string', default: '1' },
        rounds: { type: 'string', default: '5' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return usage((error as Error).message)
  }
}

const { values, positionals } = read()
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const [scenario = 'fan-out'] = positionals
if (scenario !== 'fan-out') usage(`there is no scenario "${scenario}"; there is fan-out`)
const clients = count('clients', values.clients)
const bytes = count('bytes', values.bytes)
const durationMs = count('seconds', values.seconds) * 1000
const window = count('window', values.window)
const rounds = count('rounds', values.rounds)

const results = new Map<string, FanOutResult[]>(CANDIDATES.map(({ name }) => [name, []]))
for (let round = 1; round <= rounds; round++) {
  for (const candidate of CANDIDATES) {
    if (!values.json) process.stderr.write(`\rround ${round}/${rounds}: ${candidate.name.padEnd(12)}`)
    results.get(candidate.name)?.push(await fanOut(candidate, { clients, bytes, durationMs, window }))
  }
}
if (!values.json) process.stderr.write(`\r${' '.repeat(40)}\r`)

const rows = CANDIDATES.map(({ name, description }) => {
  const runs = results.get(name) ?? []
  const rates = runs.map(({ deliveriesPerSecond }) => deliveriesPerSecond)
  const known = (values: (number | undefined)[]) => values.filter((value) => value !== undefined)
  return {
    name,
    description,
    deliveriesPerSecond: median(rates),
    spread: spread(rates),
    deliveriesPerCpuSecond: median(known(runs.map(({ deliveriesPerCpuSecond }) => deliveriesPerCpuSecond))),
    serverCpuShare: median(known(runs.map(({ serverCpuShare }) => serverCpuShare))),
  }
})
const floor = rows.find(({ name }) => name === 'bare')

if (values.json) {
  console.log(
    JSON.stringify({ scenario, clients, bytes, durationMs, window, rounds, node: process.version, results: rows }, null, 2),
  )
} else {
  const thousands = (value: number) => `${(value / 1000).toFixed(1)}k`
  const percent = (value: number) => `${(value * 100).toFixed(0)}%`
  console.log(
    `Fan-out: ${clients} WebSocket clients, ${bytes}-byte messages, ${window === 1 ? 'one at a time' : `${window} under way`}; Node ${process.version}; medians of ${rounds}\n`,
  )
  console.log(
    `${'server'.padEnd(10)}${'deliveries/s'.padStart(14)}${'of bare'.padStart(9)}${'spread'.padStart(8)}${'per CPU s'.padStart(11)}${'of bare'.padStart(9)}${'CPU'.padStart(6)}`,
  )
  for (const row of rows) {
    const ratio = row.deliveriesPerSecond / (floor?.deliveriesPerSecond ?? Number.NaN)
    const cpuRatio = row.deliveriesPerCpuSecond / (floor?.deliveriesPerCpuSecond ?? Number.NaN)
    console.log(
      `${row.name.padEnd(10)}${thousands(row.deliveriesPerSecond).padStart(14)}${ratio.toFixed(2).padStart(9)}${percent(row.spread).padStart(8)}${thousands(row.deliveriesPerCpuSecond).padStart(11)}${cpuRatio.toFixed(2).padStart(9)}${percent(row.serverCpuShare).padStart(6)}  ${row.description}`,
    )
  }
  console.log("\nCPU is the server's share of one core: well below 100% means that the load, not the server, was the limit.")
}
