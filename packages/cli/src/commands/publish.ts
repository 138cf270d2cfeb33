import { createInterface } from 'node:readline'
import { text as readAll } from 'node:stream/consumers'
import type { Position } from '@fusewire/protocol'
import type { Command } from 'commander'
import { z } from 'zod'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { readJsonOrText } from '../json-value.ts'
import { readPosition } from '../position.ts'
import { collectTag, type Tags } from '../tags.ts'
import type { Terminal } from '../terminal.ts'

interface PublishFlags extends ConnectionFlags {
  readonly apiKey?: string
  readonly key?: string
  readonly patch?: boolean
  readonly ifPosition?: Position
  readonly tag?: Tags
  readonly text?: boolean
  readonly lines?: boolean
}

const published = z.object({ position: z.object({ epoch: z.string(), offset: z.number() }), duplicate: z.boolean() })

export const definePublish = (command: Command, terminal: Terminal): Command =>
  addConnectionOptions(
    command
      .argument('<channel>', 'name of the channel')
      .argument('[data]', 'JSON, or a text; from the standard input when left out or -')
      .option('--text', 'send the data as a text, whatever it looks like')
      .option('--lines', 'publish each line of the standard input as it comes')
      .option('--tag <name=value>', 'label that subscribers can filter by; may be repeated', collectTag)
      .option('--key <key>', 'idempotency key: a second publish with it changes nothing')
      .option('--patch', "the data is a JSON merge patch (RFC 7396) of the channel's document")
      .option('--if-position <epoch:offset>', "publish only if this is the channel's newest position", readPosition),
  )
    .addOption(apiKeyOption())
    .addHelpText(
      'after',
      `
On a terminal it says what happened, elsewhere it prints one JSON object for each publication.

Examples:
  $ fusewire publish news '{"title":"Hello"}'
  $ fusewire publish chat:lobby hello
  $ fusewire publish ticker 101.5 --tag symbol=ACME
  $ cat report.json | fusewire publish reports
  $ tail -f app.log | fusewire publish logs --lines --text
  $ fusewire publish device:1 '{"fan":null}' --patch --if-position 8Zq1.0:41
  $ fusewire publish news hello --url https://push.example.com --api-key "$KEY"`,
    )
    .action((channel: string, data: string | undefined, flags: PublishFlags) => publish(channel, data, flags, terminal))

async function* publications(data: string | undefined, flags: PublishFlags, { input }: Terminal): AsyncGenerator<unknown> {
  const read = (text: string) => (flags.text ? text : readJsonOrText(text, 'The data'))
  if (data !== undefined && data !== '-') {
    if (flags.lines) throw new CommandError('--lines reads the standard input; leave the data out.', EXIT.usage)
    yield read(data)
    return
  }
  if (input.isTTY)
    throw new CommandError('There is nothing to publish. Give the data as an argument, or through a pipe.', EXIT.usage)
  if (!flags.lines) {
    const text = await readAll(input)
    // What was to write it has failed, in all likelihood.
    if (text === '')
      throw new CommandError(
        "The standard input is empty: there is nothing to publish. For an empty text write '' behind the channel.",
        EXIT.usage,
      )
    // What programs print ends with a line break that belongs to nobody.
    yield read(text.replace(/\r?\n$/u, ''))
    return
  }
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) if (line !== '') yield read(line)
}

const publish = async (channel: string, data: string | undefined, flags: PublishFlags, terminal: Terminal): Promise<void> => {
  if (flags.lines && flags.key !== undefined)
    throw new CommandError('--key would be that of every line, and only the first would be published.', EXIT.usage)
  if (flags.lines && flags.ifPosition)
    throw new CommandError('--if-position would be right for the first line, and for no other.', EXIT.usage)
  const network = await openNetwork(flags, terminal)
  try {
    const api = new ApiClient(network, flags.apiKey)
    const { tag: tags, key, patch, ifPosition } = flags
    const options = {
      ...(tags && { tags }),
      ...(key !== undefined && { key }),
      ...(patch && { patch }),
      ...(ifPosition && { ifPosition }),
    }
    for await (const one of publications(data, flags, terminal)) {
      const { position, duplicate } = published.parse(await api.post('/v1/publish', { channel, data: one, ...options }))
      if (!terminal.interactive) terminal.print(JSON.stringify({ channel, position, duplicate }))
      else if (duplicate) terminal.print(`Published before to ${channel}, at offset ${position.offset}; nothing was changed.`)
      else terminal.print(`Published to ${channel}, at offset ${position.offset}.`)
    }
  } finally {
    await network.close()
  }
}
