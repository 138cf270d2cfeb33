import { createInterface } from 'node:readline'
import { text as readAll } from 'node:stream/consumers'
import { Command } from 'commander'
import { z } from 'zod'
import { ApiClient } from '../connection/api-client.ts'
import { addConnectionOptions, apiKeyOption, type ConnectionFlags } from '../connection/connection-options.ts'
import { openNetwork } from '../connection/network.ts'
import { CommandError, EXIT } from '../exit-code.ts'
import { readJsonOrText } from '../json-value.ts'
import { collectTag, type Tags } from '../tags.ts'
import type { Terminal } from '../terminal.ts'

interface PublishFlags extends ConnectionFlags {
  readonly apiKey?: string
  readonly key?: string
  readonly tag?: Tags
  readonly text?: boolean
  readonly lines?: boolean
}

const published = z.object({ position: z.object({ epoch: z.string(), offset: z.number() }), duplicate: z.boolean() })

export const publishCommand = (terminal: Terminal): Command =>
  addConnectionOptions(
    new Command('publish')
      .description('Publish to a channel, over the HTTP API')
      .argument('<channel>')
      .argument('[data]', 'JSON, or a text; from the standard input when left out or -')
      .option('--text', 'send the data as a text, whatever it looks like')
      .option('--lines', 'publish each line of the standard input as it comes')
      .option('--tag <name=value>', 'label that subscribers can filter by; may be repeated', collectTag)
      .option('--key <key>', 'idempotency key: a second publish with it changes nothing'),
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
    // What programs print ends with a line break that belongs to nobody.
    yield read((await readAll(input)).replace(/\r?\n$/u, ''))
    return
  }
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) if (line !== '') yield read(line)
}

const publish = async (channel: string, data: string | undefined, flags: PublishFlags, terminal: Terminal): Promise<void> => {
  if (flags.lines && flags.key !== undefined)
    throw new CommandError('--key would be that of every line, and only the first would be published.', EXIT.usage)
  const network = openNetwork(flags, terminal)
  try {
    const api = new ApiClient(network, flags.apiKey)
    const options = { ...(flags.tag && { tags: flags.tag }), ...(flags.key !== undefined && { key: flags.key }) }
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
