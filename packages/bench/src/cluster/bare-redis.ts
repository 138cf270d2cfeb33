import { createClient, RESP_TYPES } from '@redis/client'
import type { BenchBroker } from './broker.ts'
import { channelName } from './channel-name.ts'
import { watchCommands } from './redis-commands.ts'
import type { PublishOne } from './window.ts'

/** What a node sends to Redis, to hear of the channels and for one publication of each (by channel): arguments in latin1. */
export interface RedisTraffic {
  readonly heard: readonly string[]
  readonly publishes: readonly (readonly string[])[]
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
  const publishes: string[][] = []
  for (let channel = 0; channel < channels; channel++) {
    const commands = await watchCommands(port, async () => void (await publish(channel)))
    const found = commands.find((command) => command.some((part) => part.includes(FILLER)))
    if (!found) throw new Error(`no command publishes to ${channelName(channel)}`)
    publishes.push(found.map((part) => part.toString('latin1')))
  }
  const heard = subscribing.filter(isSubscription).flatMap(([, ...names]) => names.map(String))
  return { heard: [...new Set(heard)], publishes }
}

/** Gives one Redis the functions of another. */
export const copyFunctions = async (from: BenchBroker, to: BenchBroker): Promise<void> => {
  const [source, target] = await Promise.all([from, to].map(({ url }) => createClient({ url }).connect()))
  if (!source || !target) throw new Error('no client')
  const dump = await source.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).sendCommand(['FUNCTION', 'DUMP'])
  await target.sendCommand(['FUNCTION', 'RESTORE', dump as unknown as Buffer, 'REPLACE'])
  source.destroy()
  target.destroy()
}

/** Hears of the channels, and publishes with the same commands from the same client library, with nothing around them. */
export const openBareRedis = async (url: string, { heard, publishes }: RedisTraffic): Promise<PublishOne> => {
  const [publisher, listener] = await Promise.all([url, url].map((each) => createClient({ url: each }).connect()))
  if (!publisher || !listener) throw new Error('no client')
  await listener.sSubscribe([...heard], () => {}, true)
  const commands = publishes.map((command) => command.map((part) => Buffer.from(part, 'latin1')))
  return (channel) => publisher.sendCommand(commands[channel] ?? [])
}
