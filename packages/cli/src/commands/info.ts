import type { Command } from 'commander'
import { z } from 'zod'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import { type Column, tableLines } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { uptimeText } from '../uptime.ts'

interface InfoFlags extends ConnectionFlags {
  readonly apiKey?: string
  readonly json?: boolean
}

const node = z.object({
  node: z.string(),
  version: z.string(),
  state: z.enum(['serving', 'draining']),
  startedAt: z.number(),
  host: z.string(),
  worker: z.number().optional(),
  connections: z.number(),
  sessions: z.number(),
  subscriptions: z.number(),
  channels: z.number(),
})
type Node = z.output<typeof node>

const nodeInfo = z.object({
  ...node.shape,
  protocolVersion: z.number(),
  development: z.boolean(),
  nodes: z.array(node),
})

export const defineInfo = (command: Command, terminal: Terminal): Command =>
  addConnectionOptions(command.option('--json', 'print JSON on a terminal too'))
    .addOption(apiKeyOption())
    .addHelpText(
      'after',
      `
Examples:
  $ fusewire info
  $ fusewire info --url https://push.example.com --api-key "$KEY"
  $ fusewire info --json | jq '.nodes[] | {node, host, connections}'`,
    )
    .action((flags: InfoFlags) => printInfo(flags, terminal))

const WORKER: Column<Node> = { title: 'worker', align: 'right', value: ({ worker }) => worker ?? '' }
const COLUMNS: readonly Column<Node>[] = [
  { title: 'version', value: ({ version }) => version },
  { title: 'state', value: ({ state }) => state },
  { title: 'running for', value: ({ startedAt }) => uptimeText(startedAt) },
  { title: 'connections', align: 'right', value: ({ connections }) => connections },
  { title: 'sessions', align: 'right', value: ({ sessions }) => sessions },
  { title: 'subscriptions', align: 'right', value: ({ subscriptions }) => subscriptions },
]

/** All nodes, with a sum; the one that has answered is marked. */
const printNodes = (nodes: readonly Node[], own: string, terminal: Terminal): void => {
  const hasWorkers = nodes.some(({ worker }) => worker !== undefined)
  const columns = [
    { title: 'node', value: (row: Node) => (row.node === own ? `${row.node} *` : row.node) },
    { title: 'host', value: ({ host }: Node) => host },
    ...(hasWorkers ? [WORKER] : []),
    ...COLUMNS,
  ]
  const [titles = '', ...rows] = tableLines(nodes, columns)
  terminal.print(terminal.colors.bold(titles))
  for (const [at, row] of rows.entries()) terminal.print(nodes[at]?.state === 'draining' ? terminal.colors.yellow(row) : row)
  const sum = (count: (row: Node) => number): number => nodes.reduce((total, row) => total + count(row), 0)
  const connections = sum((row) => row.connections)
  const sessions = sum((row) => row.sessions)
  terminal.print(`${nodes.length} nodes with ${connections} connections and ${sessions} sessions; * has answered.`)
}

const printInfo = async (flags: InfoFlags, terminal: Terminal): Promise<void> => {
  const network = await openNetwork(flags, terminal)
  try {
    const answer = await new ApiClient(network, flags.apiKey).get('/v1/info')
    if (flags.json || !terminal.interactive) return terminal.print(JSON.stringify(answer))
    const info = nodeInfo.parse(answer)
    const { colors } = terminal
    const line = (name: string, value: string | number) => terminal.print(`  ${name.padEnd(14)} ${value}`)
    terminal.print(
      `${colors.bold(`Fusewire ${info.version}`)} at ${flags.url}${info.development ? colors.red('  DEVELOPMENT MODE') : ''}`,
    )
    if (info.nodes.length > 1) {
      printNodes(info.nodes, info.node, terminal)
      return
    }
    line('node', info.node)
    line('host', info.host)
    line('state', info.state === 'draining' ? colors.yellow(info.state) : info.state)
    line('protocol', info.protocolVersion)
    line('running for', uptimeText(info.startedAt))
    line('connections', info.connections)
    line('sessions', info.sessions)
    line('subscriptions', info.subscriptions)
    line('channels', info.channels)
  } finally {
    await network.close()
  }
}
