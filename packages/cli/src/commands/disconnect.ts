import type { Command } from 'commander'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import { printTouched } from '../connection/touched.ts'
import { addTargetOptions, type TargetFlags, targetOf } from '../target.ts'
import type { Terminal } from '../terminal.ts'

interface DisconnectFlags extends ConnectionFlags, TargetFlags {
  readonly apiKey?: string
}

export const defineDisconnect = (command: Command, terminal: Terminal): Command =>
  addConnectionOptions(addTargetOptions(command))
    .addOption(apiKeyOption())
    .addHelpText(
      'after',
      `
Clients are told "disconnected" and stop. Whoever must not come back with the same token needs "fusewire revoke"; who is only to go to
another node, "fusewire drain".

Examples:
  $ fusewire disconnect --user alice
  $ fusewire disconnect --session s_7f3c9a --url https://push.example.com --api-key "$KEY"`,
    )
    .action((flags: DisconnectFlags) => disconnect(flags, terminal))

const disconnect = async (flags: DisconnectFlags, terminal: Terminal): Promise<void> => {
  const target = targetOf(flags)
  const network = await openNetwork(flags, terminal)
  try {
    const answer = await new ApiClient(network, flags.apiKey).post('/v1/disconnect', target)
    printTouched(answer, terminal, (sessions) => `Ended ${sessions}.`)
  } finally {
    await network.close()
  }
}
