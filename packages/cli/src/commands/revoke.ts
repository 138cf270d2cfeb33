import { type Command, InvalidArgumentError, Option } from 'commander'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import { printTouched } from '../connection/touched.ts'
import { readDuration } from '../duration.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import type { Terminal } from '../terminal.ts'

interface RevokeFlags extends ConnectionFlags {
  readonly apiKey?: string
  readonly tokenId?: string
  readonly user?: string
  readonly issuedBefore?: number
  readonly expiresIn?: number
}

const readTime = (text: string): number => {
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new InvalidArgumentError('Write a time of ISO 8601, like 2026-01-31T12:00:00Z.')
  return time
}

const readLifetime = (text: string): number => {
  const ms = readDuration(text)
  if (ms === undefined) throw new InvalidArgumentError('A revocation ends at some time. Write 90s, 15m, 1h or 30d.')
  return ms
}

export const defineRevoke = (command: Command, terminal: Terminal): Command =>
  addConnectionOptions(
    command
      .addOption(new Option('--token-id <id>', 'the token with this jti').conflicts('user'))
      .addOption(new Option('--user <id>', 'all tokens of this user that were issued until now'))
      .addOption(
        new Option('--issued-before <time>', 'with --user: until this time, like 2026-01-31T12:00:00Z').argParser(readTime),
      )
      .addOption(
        new Option(
          '--expires-in <duration>',
          'how long to remember it: as long as the tokens would have lived (default: revocationTtlMs of the server)',
        ).argParser(readLifetime),
      ),
  )
    .addOption(apiKeyOption())
    .addHelpText(
      'after',
      `
Tokens have seconds: one that was issued within the second of the revocation is revoked too.

Examples:
  $ fusewire revoke --user alice
  $ fusewire revoke --token-id 7f3c9a --expires-in 1h
  $ fusewire revoke --user alice --issued-before 2026-01-31T12:00:00Z --url https://push.example.com --api-key "$KEY"`,
    )
    .action((flags: RevokeFlags) => revoke(flags, terminal))

const bodyOf = ({ tokenId, user, issuedBefore, expiresIn }: RevokeFlags): object => {
  if (tokenId === undefined && user === undefined)
    throw new CommandError('Which tokens? Give --token-id for one, or --user for all of a user.', EXIT.usage)
  if (issuedBefore !== undefined && user === undefined) throw new CommandError('--issued-before belongs to --user.', EXIT.usage)
  return {
    ...(tokenId === undefined ? { user } : { token: tokenId }),
    ...(issuedBefore !== undefined && { issuedBefore }),
    ...(expiresIn !== undefined && { expiresInMs: expiresIn }),
  }
}

const revoke = async (flags: RevokeFlags, terminal: Terminal): Promise<void> => {
  const body = bodyOf(flags)
  const network = await openNetwork(flags, terminal)
  try {
    const answer = await new ApiClient(network, flags.apiKey).post('/v1/revoke', body)
    printTouched(answer, terminal, (sessions) => `Revoked: ${sessions} ended.`)
  } finally {
    await network.close()
  }
}
