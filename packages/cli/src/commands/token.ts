import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Capability, ConfigurationError, type SigningKey, signToken } from '@fusewire/server/token'
import { type Command, Option } from 'commander'
import { readCapability } from '../capability.ts'
import { readOption } from '../configuration/load-configuration.ts'
import { readDuration } from '../duration.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { readProblem } from '../file-problem.ts'
import { readJsonOrText } from '../json-value.ts'
import type { Terminal } from '../terminal.ts'

interface TokenFlags {
  readonly user?: string
  readonly channel?: string
  readonly subscribe?: string[]
  readonly cap?: Capability[]
  readonly info?: string
  readonly text?: boolean
  readonly ttl: { readonly ms: number | undefined }
  readonly secret?: string
  readonly privateKey?: string
  readonly algorithm?: string
  readonly tokenId?: string
  readonly keyId?: string
  readonly issuer?: string
  readonly audience?: string
  readonly config?: string
}

const collect = (text: string, before: readonly string[] = []): string[] => [...before, text]

const collectCapability = (text: string, before: readonly Capability[] = []): Capability[] => [...before, readCapability(text)]

export const defineToken = (command: Command, terminal: Terminal): Command =>
  command
    .option('--user <id>', 'the user; required for a token to connect with')
    .addOption(
      new Option('--ttl <duration>', 'how long it is valid: 90s, 15m, 1h, 30d, never')
        .argParser((text) => ({ ms: readDuration(text) }))
        .default({ ms: 3_600_000 }, '1h'),
    )
    .option('--info <json>', 'shown to others in presence: JSON, or a text')
    .option('--text', 'take --info as a text, whatever it looks like')
    .option(
      '--cap <pattern=actions>',
      "what is allowed beyond the rules: 'chat:*=subscribe,publish'; may be repeated",
      collectCapability,
    )
    .option('--subscribe <channel>', 'subscribe to this channel at connect; may be repeated', collect)
    .option('--token-id <id>', 'jti: by it, this token alone can be revoked')
    .option('--channel <channel>', 'make a token for this one channel, to subscribe with')
    .addOption(new Option('--secret <secret>', 'shared secret to sign with').conflicts('privateKey').helpGroup('Key:'))
    .addOption(new Option('--private-key <file>', 'private key to sign with, PEM: RSA, EC or Ed25519').helpGroup('Key:'))
    .addOption(new Option('--algorithm <name>', 'signature algorithm (default: the usual one of the key)').helpGroup('Key:'))
    .addOption(new Option('--key-id <id>', 'kid: names the key in a key set').helpGroup('Key:'))
    .addOption(new Option('--issuer <text>', 'iss (default: jwtIssuer of the configuration)').helpGroup('Key:'))
    .addOption(new Option('--audience <text>', 'aud (default: jwtAudience of the configuration)').helpGroup('Key:'))
    .addOption(new Option('-c, --config <file>', 'configuration whose jwtSecret signs when no key is given').helpGroup('Key:'))
    .addHelpText(
      'after',
      `
Without --secret and --private-key it is signed with jwtSecret of the configuration: FUSEWIRE_JWT_SECRET, or fusewire.yaml.
The token is the only thing on the standard output.

Examples:
  $ fusewire token --user alice
  $ fusewire token --user alice --ttl 15m --info '{"name":"Alice"}' --cap 'chat:*=subscribe,publish'
  $ fusewire token --user alice --channel private:42 --ttl 5m
  $ fusewire token --user sensor-7 --ttl never --private-key ed25519.pem
  $ FUSEWIRE_TOKEN=$(fusewire token --user alice) fusewire subscribe chat:lobby`,
    )
    .action((flags: TokenFlags) => printToken(flags, terminal))

/** A key, and where it is from, as the reader would look for it. */
interface FoundKey {
  readonly key: SigningKey
  readonly origin: string
}

/** In words of their own: what was wrong may come from the command line, and be no option of a configuration. */
const unsigned = (error: ConfigurationError, keyOrigin: string): CommandError => {
  const said = error.problems.map(({ option, message }) => {
    if (option === undefined) return `${message[0]?.toUpperCase()}${message.slice(1)}`
    return `${option === 'algorithm' ? '--algorithm' : keyOrigin}: ${message}`
  })
  return new CommandError(`${said.join('; ')}.`, EXIT.usage, { cause: error })
}

const findKey = (flags: TokenFlags, config: { config?: string }, terminal: Terminal): FoundKey => {
  if (flags.secret !== undefined) return { key: { secret: flags.secret }, origin: '--secret' }
  if (flags.privateKey !== undefined) {
    const path = resolve(terminal.folder, flags.privateKey)
    try {
      return { key: { privateKey: readFileSync(path, 'utf8') }, origin: `--private-key ${flags.privateKey}` }
    } catch (cause) {
      throw new CommandError(`The private key ${path} ${readProblem(cause, 'correct the path')}.`, EXIT.usage, { cause })
    }
  }
  const secret = readOption('jwtSecret', config, terminal)
  if (secret) return { key: { secret: secret.value }, origin: secret.origin }
  throw new CommandError(
    'There is nothing to sign with. Give --secret or --private-key, set FUSEWIRE_JWT_SECRET, or run this where fusewire.yaml has a jwtSecret ("fusewire init" makes one).',
    EXIT.usage,
  )
}

const printToken = async (flags: TokenFlags, terminal: Terminal): Promise<void> => {
  const { user, channel, subscribe, cap, ttl } = flags
  if (user === undefined && channel === undefined)
    throw new CommandError(
      'Whose token is it? Give --user, or --channel for a token that opens one channel to anyone.',
      EXIT.usage,
    )
  if (channel !== undefined && (cap ?? subscribe) !== undefined)
    throw new CommandError(
      '--cap and --subscribe belong to a token to connect with; --channel makes one for a channel.',
      EXIT.usage,
    )
  const config = flags.config === undefined ? {} : { config: flags.config }
  const { key, origin } = findKey(flags, config, terminal)
  const issuer = flags.issuer ?? readOption('jwtIssuer', config, terminal)?.value
  const audience = flags.audience ?? readOption('jwtAudience', config, terminal)?.value
  const shared = {
    ...(user === undefined ? {} : { user }),
    ...(flags.info === undefined ? {} : { info: flags.text ? flags.info : readJsonOrText(flags.info, '--info') }),
  }
  const subject =
    channel === undefined
      ? { user: user ?? '', ...shared, ...(cap && { capabilities: cap }), ...(subscribe && { channels: subscribe }) }
      : { channel, ...shared }
  const options = {
    ...(ttl.ms === undefined ? {} : { expiresInMs: ttl.ms }),
    ...(flags.algorithm === undefined ? {} : { algorithm: flags.algorithm }),
    ...(flags.tokenId === undefined ? {} : { tokenId: flags.tokenId }),
    ...(flags.keyId === undefined ? {} : { keyId: flags.keyId }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  }
  try {
    terminal.print(await signToken(subject, key, options))
  } catch (error) {
    throw error instanceof ConfigurationError ? unsigned(error, origin) : error
  }
}
