import type { Command } from 'commander'
import { z } from 'zod'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import { writePosition } from '../position.ts'
import type { Terminal } from '../terminal.ts'

interface StateFlags extends ConnectionFlags {
  readonly apiKey?: string
}

const state = z.object({ position: z.object({ epoch: z.string(), offset: z.number() }), document: z.unknown(), time: z.number() })

export const defineState = (command: Command, terminal: Terminal): Command =>
  addConnectionOptions(command.argument('<channel>'))
    .addOption(apiKeyOption())
    .addHelpText(
      'after',
      `
On a terminal it prints the document, and its position beside it; elsewhere one JSON object with both. A subscription goes on from
there with --since, and a publish that is to change just this document has --if-position.

Examples:
  $ fusewire state device:1
  $ fusewire state device:1 | jq .document
  $ fusewire state device:1 --url https://push.example.com --api-key "$KEY"`,
    )
    .action((channel: string, flags: StateFlags) => printState(channel, flags, terminal))

const printState = async (channel: string, flags: StateFlags, terminal: Terminal): Promise<void> => {
  const network = await openNetwork(flags, terminal)
  try {
    const answer = await new ApiClient(network, flags.apiKey).get(`/v1/channels/${encodeURIComponent(channel)}/state`)
    const { position, document, time } = state.parse(answer)
    if (!terminal.interactive) return terminal.print(JSON.stringify({ channel, position, document, time }))
    terminal.print(JSON.stringify(document, null, 2))
    terminal.note(`At ${writePosition(position)}, changed ${new Date(time).toLocaleString()}.`)
  } finally {
    await network.close()
  }
}
