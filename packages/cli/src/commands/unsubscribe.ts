import type { Command } from 'commander'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import { printTouched } from '../connection/touched.ts'
import { addTargetOptions, type TargetFlags, targetOf } from '../target.ts'
import type { Terminal } from '../terminal.ts'

interface UnsubscribeFlags extends ConnectionFlags, TargetFlags {
  readonly apiKey?: string
}

export const defineUnsubscribe = (command: Command, terminal: Terminal): Command =>
  addConnectionOptions(addTargetOptions(command.argument('<channel>', 'name of the channel')))
    .addOption(apiKeyOption())
    .addHelpText(
      'after',
      `
Clients are told, and may subscribe again where the channel's rule lets them.

Examples:
  $ fusewire unsubscribe chat:lobby --user alice
  $ fusewire unsubscribe chat:lobby --session s_7f3c9a --url https://push.example.com --api-key "$KEY"`,
    )
    .action((channel: string, flags: UnsubscribeFlags) => unsubscribe(channel, flags, terminal))

const unsubscribe = async (channel: string, flags: UnsubscribeFlags, terminal: Terminal): Promise<void> => {
  const target = targetOf(flags)
  const network = await openNetwork(flags, terminal)
  try {
    const answer = await new ApiClient(network, flags.apiKey).post('/v1/unsubscribe', { ...target, channel })
    printTouched(answer, terminal, (sessions) => `Ended the subscription of ${sessions} in ${channel}.`)
  } finally {
    await network.close()
  }
}
