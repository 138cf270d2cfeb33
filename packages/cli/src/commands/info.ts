import { Command } from 'commander'
import { z } from 'zod'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import type { Terminal } from '../terminal.ts'

interface InfoFlags extends ConnectionFlags {
  readonly apiKey?: string
  readonly json?: boolean
}

const nodeInfo = z.object({
  node: z.string(),
  version: z.string(),
  protocolVersion: z.number(),
  development: z.boolean(),
  state: z.enum(['serving', 'draining']),
  startedAt: z.number(),
  connections: z.number(),
  sessions: z.number(),
  subscriptions: z.number(),
  channels: z.number(),
})

export const infoCommand = (terminal: Terminal): Command =>
  addConnectionOptions(
    new Command('info').description('Say what a server is and how busy it is').option('--json', 'print JSON on a terminal too'),
  )
    .addOption(apiKeyOption())
    .addHelpText(
      'after',
      `
Examples:
  $ fusewire info
  $ fusewire info --url https://push.example.com --api-key "$KEY"
  $ fusewire info --json | jq .connections`,
    )
    .action((flags: InfoFlags) => printInfo(flags, terminal))

const since = (startedAt: number): string => {
  const seconds = Math.max(0, Math.floor((Date.now() - startedAt) / 1000))
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`
}

const printInfo = async (flags: InfoFlags, terminal: Terminal): Promise<void> => {
  const network = openNetwork(flags, terminal)
  try {
    const answer = await new ApiClient(network, flags.apiKey).get('/v1/info')
    if (flags.json || !terminal.interactive) return terminal.print(JSON.stringify(answer))
    const info = nodeInfo.parse(answer)
    const { colors } = terminal
    const line = (name: string, value: string | number) => terminal.print(`  ${name.padEnd(14)} ${value}`)
    terminal.print(
      `${colors.bold(`Fusewire ${info.version}`)} at ${flags.url}${info.development ? colors.red('  DEVELOPMENT MODE') : ''}`,
    )
    line('node', info.node)
    line('state', info.state === 'draining' ? colors.yellow(info.state) : info.state)
    line('protocol', info.protocolVersion)
    line('running for', since(info.startedAt))
    line('connections', info.connections)
    line('sessions', info.sessions)
    line('subscriptions', info.subscriptions)
    line('channels', info.channels)
  } finally {
    await network.close()
  }
}
