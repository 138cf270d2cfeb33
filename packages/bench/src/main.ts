import { parseArgs } from 'node:util'
import { BROKERS, type BrokerName } from './cluster/broker.ts'
import { clusterTable, EVERYTHING, measureClusters } from './cluster-report.ts'
import { fanOutTable, measureCandidates } from './fan-out-report.ts'
import { progressLine } from './progress.ts'
import { measurePolicies, slowConsumerTable } from './slow-consumer-report.ts'

const HELP = `Usage: npm run bench -- [fan-out | slow-consumer | cluster] [options]

fan-out        how fast a message reaches all subscribers of a channel, with Fusewire beside the bare floor and beside ws.send
slow-consumer  what one subscriber that reads nothing costs the others, under each rule for it
cluster        publications a second and their latency over Redis and NATS, with 1, 2 and 3 nodes, beside a bare loop of the same
               commands; starts redis-server and nats-server of its own

What is compared is measured by turns in one run. Server and clients are processes of their own.

Options:
  --clients N    subscribers that read (default 1000; 999 beside a slow consumer)
  --bytes N      bytes of a message (default 100)
  --seconds N    how long one measurement publishes (default 3; 2 for cluster; 30 for slow-consumer)
  --window N     messages under way at most (default 1: one at a time; 256 for cluster)
  --rounds N     measurements of each; the table shows medians (default 5; 3 for cluster)
  --channels N   channels that are published to (default 16); cluster only
  --broker NAME  redis or nats alone; cluster only
  --nodes N      this number of nodes alone; cluster only
  --json         print the results as JSON
  --help

Examples:
  npm run bench
  npm run bench -- --clients 5000 --rounds 3
  npm run bench -- --window 10
  npm run bench -- slow-consumer --seconds 60
  npm run bench -- cluster --broker redis --nodes 2`

const usage = (message: string): never => {
  console.error(`${message}\n\n${HELP}`)
  process.exit(2)
}

const count = (name: string, text: string): number => {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 ? value : usage(`--${name} must be a positive whole number, not "${text}"`)
}

const brokerNamed = (text: string): BrokerName =>
  BROKERS.find((name) => name === text) ?? usage(`--broker must be ${BROKERS.join(' or ')}, not "${text}"`)

const read = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        clients: { type: 'string' },
        bytes: { type: 'string', default: '100' },
        seconds: { type: 'string' },
        window: { type: 'string' },
        rounds: { type: 'string' },
        channels: { type: 'string', default: '16' },
        broker: { type: 'string' },
        nodes: { type: 'string' },
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
const bytes = count('bytes', values.bytes)
const duration = (initial: string): number => count('seconds', values.seconds ?? initial) * 1000
const progress = (what: string): void => {
  if (!values.json) progressLine.show(what)
}
const print = (table: string, results: object): void => {
  if (!values.json) progressLine.clear()
  console.log(values.json ? JSON.stringify({ scenario, node: process.version, ...results }, null, 2) : table)
}

if (scenario === 'fan-out') {
  const rounds = count('rounds', values.rounds ?? '5')
  const options = {
    clients: count('clients', values.clients ?? '1000'),
    bytes,
    durationMs: duration('3'),
    window: count('window', values.window ?? '1'),
  }
  const rows = await measureCandidates(options, rounds, progress)
  print(fanOutTable(rows, options, rounds), { ...options, rounds, results: rows })
} else if (scenario === 'slow-consumer') {
  if (values.window !== undefined || values.rounds !== undefined) usage('--window and --rounds are for fan-out')
  const options = { readers: count('clients', values.clients ?? '999'), bytes, durationMs: duration('30') }
  const rows = await measurePolicies(options, progress)
  print(slowConsumerTable(rows, options), { ...options, results: rows })
} else if (scenario === 'cluster') {
  const rounds = count('rounds', values.rounds ?? '3')
  const options = {
    bytes,
    durationMs: duration('2'),
    depth: count('window', values.window ?? '256'),
    channels: count('channels', values.channels),
  }
  const selection = {
    brokers: values.broker === undefined ? EVERYTHING.brokers : [brokerNamed(values.broker)],
    nodes: values.nodes === undefined ? EVERYTHING.nodes : [count('nodes', values.nodes)],
  }
  const rows = await measureClusters(selection, options, rounds, progress)
  print(clusterTable(rows, options, rounds), { ...options, rounds, results: rows })
} else usage(`there is no scenario "${scenario}"; there are fan-out, slow-consumer and cluster`)
