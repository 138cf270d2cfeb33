import { createClient } from '@redis/client'
import type { BenchBroker } from './broker.ts'
import { channelName } from './channel-name.ts'
import { watchCommands } from './redis-commands.ts'
import { type Load, publishInWindow, type Sent } from './window.ts'

/** What a node sends to Redis: to hear of the channels, and for one publication of each. */
export interface RedisTraffic {
  readonly heard: readonly string[]
  /** By channel. */
  readonly publishes: readonly (readonly Buffer[])[]
}

/** How the data of the benchmark is known again. */
const FILLER = 'x'.repeat(8)

const isSubscription = ([name]: readonly Buffer[]): boolean => name?.toString().toUpperCase() === 'SSUBSCRIBE'

/** Looks on while every channel is subscribed to and published to once. */
export const watchRedis = async (
  { port }: BenchBroker,
  channels: number,
  subscribe: () => Promise<void>,
  publish: (channel: number) => Promise<unknown>,
): Promise<RedisTraffic> => {
  const subscribing = await watchCommands(port, subscribe)
  const publishes: Buffer[][] = []
  for (let channel = 0; channel < channels; channel++) {
    const commands = await watchCommands(port, async () => void (await publish(channel)))
    const found = commands.find((command) => command.some((part) => part.includes(FILLER)))
    if (!found) throw new Error(`no command publishes to ${channelName(channel)}`)
    publishes.push(found)
  }
  const heard = subscribing.filter(isSubscription).flatMap(([, ...names]) => names.map(String))
  return { heard: [...new Set(heard)], publishes }
}

/** The floor: the same commands, from the same client library, with nothing around them. */
export const bareRedis = async ({ url }: BenchBroker, traffic: RedisTraffic, nodes: number, load: Load): Promise<Sent> => {
  const clients = await Promise.all(Array.from({ length: nodes + 1 }, () => createClient({ url }).connect()))
  try {
    const [publisher, ...listeners] = clients
    if (!publisher) throw new Error('no client')
    const ignore = (): void => {}
    for (const listener of listeners) if (traffic.heard.length > 0) await listener.sSubscribe([...traffic.heard], ignore)
    const publish = (channel: number) => publisher.sendCommand(traffic.publishes[channel] as Buffer[])
    return await publishInWindow(publish, load)
  } finally {
    for (const client of clients) client.destroy()
  }
}
