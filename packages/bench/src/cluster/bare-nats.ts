import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type Msg } from '@nats-io/transport-node'
import type { BenchBroker } from './broker.ts'
import { channelName } from './channel-name.ts'
import { type Load, publishInWindow, type Sent } from './window.ts'

/** What a node sends to NATS for one publication of each channel, and where the stream tells of it. */
export interface NatsTraffic {
  readonly heard: readonly string[]
  /** By channel. */
  readonly publishes: readonly { readonly subject: string; readonly data: Uint8Array }[]
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
      publishes.push({ subject: found.subject, data: found.data.slice() })
    }
    for (const subscription of subscriptions) subscription.unsubscribe()
    return { heard: streams.flatMap(({ config }) => (config.republish ? [config.republish.dest] : [])), publishes }
  } finally {
    await connection.close()
  }
}

/** The floor: publishes of the same bytes to the same stream, from the same client library, with nothing around them. */
export const bareNats = async ({ url }: BenchBroker, traffic: NatsTraffic, nodes: number, load: Load): Promise<Sent> => {
  const connections = await Promise.all(Array.from({ length: nodes + 1 }, () => connect({ servers: url })))
  try {
    const [publisher, ...listeners] = connections
    if (!publisher) throw new Error('no connection')
    for (const listener of listeners)
      for (const subject of traffic.heard)
        listener.subscribe(subject.replace(/\{\{.*\}\}|\$\d+/gu, '>').replace(/>.+$/u, '>'), { callback: () => {} })
    const stream = jetstream(publisher)
    const publish = (channel: number) => {
      const { subject, data } = traffic.publishes[channel] as NatsTraffic['publishes'][number]
      return stream.publish(subject, data)
    }
    return await publishInWindow(publish, load)
  } finally {
    await Promise.all(connections.map((connection) => connection.close()))
  }
}
