import { clusterTable, EVERYTHING, measureClusters } from './cluster/report.ts'
import type { CommandLine } from './command-line.ts'
import { progressBar } from './frame/progress-bar.ts'

const ROUNDS = 3
const BYTES = 100
const DURATION_MS = 2000
const CHANNELS = 16
const DEPTH = 256

/** Measures nodes over Redis and NATS, and prints the table or the JSON. */
export const runCluster = async ({ cluster, isJson, ...commandLine }: CommandLine): Promise<void> => {
  const rounds = commandLine.rounds ?? ROUNDS
  const options = {
    bytes: commandLine.bytes ?? BYTES,
    durationMs: commandLine.durationMs ?? DURATION_MS,
    depth: cluster.window ?? DEPTH,
    channels: cluster.channels ?? CHANNELS,
  }
  const selection = {
    brokers: cluster.broker === undefined ? EVERYTHING.brokers : [cluster.broker],
    nodes: cluster.nodes === undefined ? EVERYTHING.nodes : [cluster.nodes],
  }
  const rows = await measureClusters(selection, options, rounds, progressBar.show)
  progressBar.clear()
  const results = { scenario: 'cluster', node: process.version, ...options, rounds, results: rows }
  console.log(isJson ? JSON.stringify(results, null, 2) : clusterTable(rows, options, rounds))
}
