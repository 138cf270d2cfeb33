import { jetstream, jetstreamManager, type StreamConfig } from '@nats-io/jetstream'
import { connect, type Msg } from '@nats-io/transport-node'
import type { BenchBroker } from './broker.ts'
import { channelName } from './channel-name.ts'
import type { PublishOne } from './window.ts'

/** What a node sends to NATS for one publication of each channel (by channel, data in base64), and where streams tell of it. */
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
      const found = seen.find(({ data }) => Buffer.from(data).includes('x'.repeat(8)))
      if (!found) throw new Error(`no message publishes to ${channelName(channel)}`)
      publishes.push({ subject: found.subject, data: Buffer.from(found.data).toString('base64') })
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

/** Hears of the channels, and publishes the same bytes from the same client library, one record for each publication. */
export const openBareNats = async (url: string, { heard, publishes }: NatsTraffic): Promise<PublishOne> => {
  const [publisher, listener] = await Promise.all([url, url].map((servers) => connect({ servers })))
  if (!publisher || !listener) throw new Error('no connection')
  for (const subject of heard)
    listener.subscribe(subject.replace(/\{\{.*\}\}|\$\d+/gu, '>').replace(/>.+$/u, '>'), { callback: () => {} })
  await listener.flush()
  const stream = jetstream(publisher)
  const records = publishes.map(({ subject, data }) => ({ subject, data: Buffer.from(data, 'base64') }))
  return (channel) => {
    const { subject, data } = records[channel] ?? {}
    return stream.publish(subject ?? '', data)
  }
}
