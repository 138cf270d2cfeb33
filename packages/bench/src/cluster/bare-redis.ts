import { createClient, RESP_TYPES } from '@redis/client'
import { type BareBroker, DATA, dataIn, type OnHeard } from './bare-broker.ts'
import type { BenchBroker } from './broker.ts'
import { channelName } from './channel-name.ts'
import { watchCommands } from './redis-commands.ts'

/** What a node sends to Redis, to hear of the channels and for one publication of each (by channel). */
export interface RedisTraffic {
  readonly heard: readonly string[]
  readonly publishes: readonly (readonly string[])[]
}

const isSubscription = ([name]: readonly string[]): boolean => name?.toUpperCase() === 'SSUBSCRIBE'

/** Looks on while every channel is subscribed to and published to once. */
export const watchRedis = async (
  { port }: BenchBroker,
  channels: number,
  subscribe: () => Promise<void>,
  publish: (channel: number) => Promise<unknown>,
): Promise<RedisTraffic> => {
  const subscribing = await watchCommands(port, subscribe)
  const publishes: (readonly string[])[] = []
  for (let channel = 0; channel < channels; channel++) {
    const commands = await watchCommands(port, async () => void (await publish(channel)))
    const found = commands.find((command) => command.some((part) => DATA.test(part)))
    if (!found) throw new Error(`no command publishes to ${channelName(channel)}`)
    publishes.push(found)
  }
  const heard = subscribing.filter(isSubscription).flatMap(([, ...names]) => names)
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

/** A client as a node makes it: without the timer of its own that the library gives each command by default. */
const connected = (url: string) => createClient({ url, RESP: 3, commandOptions: { timeout: 0 } }).connect()

export const openBareRedis = async (url: string, { heard, publishes }: RedisTraffic, onHeard?: OnHeard): Promise<BareBroker> => {
  const [publisher, listener] = await Promise.all([url, url].map(connected))
  if (!publisher || !listener) throw new Error('no client')
  const channelOf = new Map(heard.map((name) => [name, publishes.findIndex((command) => command.includes(name))]))
  const hear = (message: Buffer, name: Buffer): void => {
    const data = onHeard && dataIn(message.toString('latin1'))
    if (data !== undefined) onHeard?.(channelOf.get(name.toString('latin1')) ?? -1, data)
  }
  await listener.sSubscribe([...heard], hear, true)
  const templates = publishes.map((command) => {
    const at = command.findIndex((part) => DATA.test(part))
    const [before = '', after = ''] = command[at]?.split(DATA) ?? []
    return { command, at, before, after }
  })
  return {
    publish: (channel, data) => {
      const template = templates[channel]
      if (!template) throw new RangeError(`there is no channel ${channel}`)
      const { command, at, before, after } = template
      return publisher.sendCommand(data === undefined ? command : command.with(at, before + data + after))
    },
  }
}
