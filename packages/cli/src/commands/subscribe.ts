import { FusewireClient } from '@fusewire/client'
import type { Position } from '@fusewire/protocol'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { addConnectionOptions, type ConnectionFlags, tokenOption } from '../connection/connection-options.ts'
import { type Network, openNetwork } from '../connection/network.ts'
import { explainRefusal } from '../connection/refusal.ts'
import { CommandError } from '../exit-code.ts'
import { interrupted } from '../interrupt.ts'
import { readPosition } from '../position.ts'
import { SubscriptionPrinter } from '../subscription-printer.ts'
import { collectTag, type Tags } from '../tags.ts'
import type { Terminal } from '../terminal.ts'
import { VERSION } from '../version.ts'

const TRANSPORTS = ['websocket', 'stream', 'poll'] as const

interface SubscribeFlags extends ConnectionFlags {
  readonly token?: string
  readonly channelToken?: string
  readonly since?: Position
  readonly presence?: boolean
  readonly tag?: Tags
  readonly count?: number
  readonly transport?: (typeof TRANSPORTS)[number]
  readonly json?: boolean
}

const readCount = (text: string): number => {
  if (!/^[1-9]\d{0,14}$/u.test(text)) throw new InvalidArgumentError('Write a whole number from 1.')
  return Number(text)
}

export const defineSubscribe = (command: Command, terminal: Terminal): Command =>
  addConnectionOptions(
    command
      .argument('<channel...>')
      .option('--presence', 'print who joins and leaves too')
      .option('--tag <name=value>', 'only publications with this label; may be repeated', collectTag)
      .option('--since <epoch:offset>', 'begin after this position, as far as the history reaches', readPosition)
      .option('-n, --count <number>', 'end after so many publications', readCount)
      .option('--json', 'print JSON on a terminal too')
      .addOption(new Option('--transport <name>', 'use this one (default: the first that works)').choices(TRANSPORTS)),
  )
    .addOption(tokenOption())
    .addOption(
      new Option('--channel-token <token>', 'token for the channel, as made by "fusewire token --channel"').helpGroup(
        'Connection:',
      ),
    )
    .addHelpText(
      'after',
      `
On a terminal it prints lines for people, elsewhere one JSON object a line; what is said about the connection goes to the
standard error. Lost connections are made again, and nothing is missed. Ctrl-C unsubscribes and ends with 0; a second one ends
at once, with 130.

Examples:
  $ fusewire subscribe chat:lobby
  $ fusewire subscribe chat:lobby news --presence
  $ fusewire subscribe ticker --tag symbol=ACME --count 10
  $ fusewire subscribe news | jq .data
  $ fusewire subscribe inbox:alice --token "$(fusewire token --user alice)"`,
    )
    .action((channels: string[], flags: SubscribeFlags) => subscribe(channels, flags, terminal))

/** Asks for a sign of life over plain HTTP first: what goes wrong there has a reason, where a WebSocket just fails. */
const assertReachable = async (network: Network): Promise<void> => {
  const { status } = await network.fetch('/livez')
  if (status !== 200) throw new CommandError(`${network.url} answered ${status}, and not like a Fusewire server. Check --url.`)
}

const subscribe = async (channels: string[], flags: SubscribeFlags, terminal: Terminal): Promise<void> => {
  const network = await openNetwork(flags, terminal)
  const interrupt = interrupted()
  try {
    await assertReachable(network)
    const client = openClient(network, flags)
    try {
      await Promise.race([interrupt.signal, printChannels(client, [...new Set(channels)], flags, terminal)])
    } finally {
      // Leaves the channels, and tells the server that the session will not come back.
      await client.close()
    }
  } catch (error) {
    throw explainRefusal(error)
  } finally {
    interrupt.dispose()
    await network.close()
  }
}

const openClient = (network: Network, { transport, token }: SubscribeFlags): FusewireClient =>
  new FusewireClient(network.url, {
    ...network.platform,
    name: 'fusewire-cli',
    version: VERSION,
    transports: transport ? [transport] : TRANSPORTS,
    ...(token !== undefined && { token }),
  })

/** Resolves when enough has come; rejects when nothing more can come. */
const printChannels = async (
  client: FusewireClient,
  channels: readonly string[],
  flags: SubscribeFlags,
  terminal: Terminal,
): Promise<void> => {
  const ended = new Promise<void>((resolve, reject) => {
    followConnection(client, terminal, reject)
    const printer = new SubscriptionPrinter(terminal, flags.json ?? false)
    let left = flags.count ?? Number.POSITIVE_INFINITY
    for (const name of channels) {
      const channel = client.channel(name)
      let isLive = false
      channel.on('publication', (publication) => {
        if (left > 0) printer.publication(name, publication)
        left -= 1
        if (left === 0) resolve()
      })
      channel.on('join', (member) => printer.presence('join', name, member))
      channel.on('leave', (member) => printer.presence('leave', name, member))
      channel.on('subscribed', ({ recovered, wasRecovering }) => {
        isLive = true
        if (wasRecovering && !recovered)
          note(terminal, `Publications of ${name} are missing: its history does not reach back that far.`)
      })
      channel.on('unsubscribed', ({ code, reason = code }) => {
        // A refusal reaches whoever has subscribed, and says more there.
        if (isLive && code !== undefined)
          reject(new CommandError(`The server has ended the subscription in ${name}: ${reason} (${code}).`))
      })
    }
  })
  const { channelToken, presence, since, tag } = flags
  const options = {
    ...(channelToken !== undefined && { token: channelToken }),
    ...(presence && { presence }),
    ...(since && { since }),
    ...(tag && { tags: tag }),
  }
  const started = async (): Promise<void> => {
    await client.connect()
    await Promise.all(channels.map((name) => client.channel(name, options).subscribe()))
    note(terminal, `Subscribed to ${channels.join(', ')} over ${client.connection.transport}. Ctrl-C ends.`)
  }
  await Promise.all([started(), ended])
}

const note = (terminal: Terminal, text: string): void => terminal.note(terminal.noteColors.dim(text))

/** Says when the line is lost and found. A client that has given up fails. */
const followConnection = (client: FusewireClient, terminal: Terminal, fail: (error: Error) => void): void => {
  let last: 'none' | 'connected' | 'lost' = 'none'
  client.on('error', fail)
  client.on('connection', ({ status, transport, error }) => {
    if (status === 'connected') {
      if (last === 'lost') note(terminal, `Connected again, over ${transport}.`)
      last = 'connected'
    }
    if (status === 'waiting' && last !== 'lost') {
      note(terminal, `${last === 'none' ? 'No connection yet' : 'The connection is lost'} (${error?.message}); trying again.`)
      last = 'lost'
    }
  })
}
