import { jetstreamManager, type StreamConfig } from '@nats-io/jetstream'
import { connect, createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { type BareBroker, DATA, dataIn, type OnHeard } from './bare-broker.ts'
import type { BenchBroker } from './broker.ts'
import { channelName } from './channel-name.ts'

/** What a node sends to NATS for one publication of each channel (by channel), and where streams tell of it. */
export interface NatsTraffic {
  readonly heard: readonly string[]
  readonly publishes: readonly { readonly subject: string; readonly data: string }[]
}

/** Looks on while every channel is published to once. */
export const watchNats = async (
  { url }: BenchBroker,
  channels: number,
  publish: (channel: number) => Promise<unknown>,
): Promise<NatsTraffic> => {
  const connection = await connect({ servers: url })
  try {
    const streams = await (await jetstreamManager(connection)).streams.list().next()
    const ofStream = streams.flatMap(({ config }) => config.subjects ?? [])
    const seen: Msg[] = []
    const subscriptions = ofStream.map((subject) =>
      connection.subscribe(subject, { callback: (_error, message) => void seen.push(message) }),
    )
    await connection.flush()
    const publishes = []
    for (let channel = 0; channel < channels; channel++) {
      seen.length = 0
      await publish(channel)
      await connection.flush()
      const found = seen.find((message) => DATA.test(message.string()))
      if (!found) throw new Error(`no message publishes to ${channelName(channel)}`)
      publishes.push({ subject: found.subject, data: found.string() })
    }
    for (const subscription of subscriptions) subscription.unsubscribe()
    return { heard: streams.flatMap(({ config }) => (config.republish ? [config.republish.dest] : [])), publishes }
  } finally {
    await connection.close()
  }
}

/** Gives one NATS the streams of another, without what is in them. */
export const copyStreams = async (from: BenchBroker, to: BenchBroker): Promise<void> => {
  const [source, target] = await Promise.all([from, to].map(({ url }) => connect({ servers: url })))
  if (!source || !target) throw new Error('no connection')
  const manager = await jetstreamManager(target)
  for (const { config } of await (await jetstreamManager(source)).streams.list().next())
    await manager.streams.add(config as StreamConfig)
  await Promise.all([source.close(), target.close()])
}

/**
 * Sends records to a stream, and resolves when it has taken them. The library's own `publish` makes a timer, headers and an error that
 * nobody sees for each record, which nodes do not, and which cost more than the record. Like a node's, a request waits in a place of an
 * array: a Map would have V8 keep what has been in it until the next major collection.
 */
const openRequests = (connection: NatsConnection): ((subject: string, data: Uint8Array) => Promise<void>) => {
  const inbox = createInbox()
  const waiting: ({ readonly resolve: () => void; readonly reject: (reason: Error) => void } | undefined)[] = []
  const free: number[] = []
  const answered = (_error: Error | null, message: Msg): void => {
    const place = Number(lastToken(message.subject))
    const waits = waiting[place]
    if (!waits) return
    waiting[place] = undefined
    free.push(place)
    const text = message.string()
    if (text.startsWith('{"stream":')) waits.resolve()
    else waits.reject(new Error(`the stream has not taken a record: ${text}`))
  }
  connection.subscribe(`${inbox}.*`, { callback: answered })
  return (subject, data) =>
    new Promise((resolve, reject) => {
      const place = free.pop() ?? waiting.length
      waiting[place] = { resolve, reject }
      connection.publish(subject, data, { reply: `${inbox}.${place}` })
    })
}

/** One record for each publication. */
export const openBareNats = async (url: string, { heard, publishes }: NatsTraffic, onHeard?: OnHeard): Promise<BareBroker> => {
  const [publisher, listener] = await Promise.all([url, url].map((servers) => connect({ servers })))
  if (!publisher || !listener) throw new Error('no connection')
  const channelOf = new Map(publishes.map(({ subject }, channel) => [lastToken(subject), channel]))
  const hear = (_error: Error | null, message: Msg): void => {
    const data = onHeard && dataIn(message.string())
    if (data !== undefined) onHeard?.(channelOf.get(lastToken(message.subject)) ?? -1, data)
  }
  for (const subject of heard)
    listener.subscribe(subject.replace(/\{\{.*\}\}|\$\d+/gu, '>').replace(/>.+$/u, '>'), { callback: hear })
  await listener.flush()
  const ask = openRequests(publisher)
  const templates = publishes.map(({ subject, data }) => {
    const [before = '', after = ''] = data.split(DATA)
    return { subject, ready: Buffer.from(data), before, after }
  })
  return {
    publish: (channel, data) => {
      const template = templates[channel]
      if (!template) throw new RangeError(`there is no channel ${channel}`)
      const { subject, ready, before, after } = template
      return ask(subject, data === undefined ? ready : Buffer.from(before + data + after))
    },
  }
}

/** A stream that publishes again keeps the end of the subject, which names the channel. */
const lastToken = (subject: string): string => subject.slice(subject.lastIndexOf('.') + 1)
