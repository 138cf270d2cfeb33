import { type Command, Option } from 'commander'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import { printTouched } from '../connection/touched.ts'
import { readDuration } from '../duration.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { addTargetOptions, type TargetFlags, targetOf } from '../target.ts'
import type { Terminal } from '../terminal.ts'

interface RefreshFlags extends ConnectionFlags, TargetFlags {
  readonly apiKey?: string
  /** `null`: never. */
  readonly expiresIn?: number | null
}

export const defineRefresh = (command: Command, terminal: Terminal): Command =>
  addConnectionOptions(
    addTargetOptions(command).addOption(
      new Option('--expires-in <duration>', 'from now, like 15m; 0s: it has ended; never: it does not end by itself').argParser(
        (text) => readDuration(text) ?? null,
      ),
    ),
  )
    .addOption(apiKeyOption())
    .addHelpText(
      'after',
      `
Clients have to send a newer token by then; those whose time is over are told "token_expired" and get a new one. Sessions stay.

Examples:
  $ fusewire refresh --user alice --expires-in 0s
  $ fusewire refresh --user alice --expires-in 1h
  $ fusewire refresh --session s_7f3c9a --expires-in never --url https://push.example.com --api-key "$KEY"`,
    )
    .action((flags: RefreshFlags) => refresh(flags, terminal))

const refresh = async (flags: RefreshFlags, terminal: Terminal): Promise<void> => {
  const { expiresIn } = flags
  const target = targetOf(flags)
  if (expiresIn === undefined)
    throw new CommandError('Until when? Give --expires-in, like 15m; 0s ends it now, never lets it go on.', EXIT.usage)
  const network = await openNetwork(flags, terminal)
  try {
    const expiresInMs = expiresIn === null ? null : Math.round(expiresIn)
    const answer = await new ApiClient(network, flags.apiKey).post('/v1/refresh', { ...target, expiresInMs })
    printTouched(answer, terminal, (sessions) => `Done for ${sessions}.`)
  } finally {
    await network.close()
  }
}
