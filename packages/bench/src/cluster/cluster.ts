import { copyStreams, watchNats } from './bare-nats.ts'
import { copyFunctions, watchRedis } from './bare-redis.ts'
import { type BenchBroker, type BrokerName, startBroker } from './broker.ts'
import { Listeners } from './listeners.ts'
import { Node } from './node.ts'
import { openHttpPublisher, openWebSocketPublisher, type Publisher } from './publisher.ts'
import type { Load } from './window.ts'

/** The bare loop; and the ways to publish, each by a relay and by Fusewire. */
export const WAYS = ['bare loop', 'relay: embedded', 'embedded', 'relay: websocket', 'websocket', 'relay: http', 'http'] as const
export type Way = (typeof WAYS)[number]

/** What a way is compared with: the relay that publishes in the same way. Undefined for relays, and for the bare loop. */
export const relayOf = (way: Way): Way | undefined => WAYS.find((other) => other === `relay: ${way}`)

/** Commands in a batch of the HTTP API, at most. */
const BATCH = 50

/** One way to publish, and the processes behind it. */
export interface Lane {
  readonly publisher: Publisher
  /** Undefined for the bare loop, which has no subscribers. */
  readonly listeners?: Listeners
  /** Seconds of CPU time of the broker, of the process that publishes to it, and of the others that hear of it. */
  readonly brokerSeconds: () => number | undefined
  readonly nodeSeconds: () => number | undefined
  readonly othersSeconds: () => number | undefined
  /** Seconds for which either waited for a core. */
  readonly brokerWaitSeconds: () => number | undefined
  readonly nodeWaitSeconds: () => number | undefined
}

/** Nodes over a broker with a subscriber on each, as many relays over another, and as many bare processes over a third. */
export interface Cluster {
  readonly nodes: number
  readonly lanes: Readonly<Record<Way, Lane>>
  close(): Promise<void>
}

/** Has the nodes subscribe and publish once, and looks on. */
const watch = async (broker: BenchBroker, channels: number, node: Node, subscribe: () => Promise<Listeners>) => {
  const load: Load = { durationMs: 0, depth: 1, channels, bytes: 100 }
  const publishOnce = (once: number) => node.run({ ...load, once })
  if (broker.name === 'nats') {
    const listeners = await subscribe()
    return { listeners, traffic: await watchNats(broker, channels, publishOnce) }
  }
  let listeners: Listeners | undefined
  const subscribing = async (): Promise<void> => {
    listeners = await subscribe()
  }
  const traffic = await watchRedis(broker, channels, subscribing, publishOnce)
  if (!listeners) throw new Error('nobody listens')
  return { listeners, traffic }
}

export const openCluster = async (name: BrokerName, count: number, channels: number): Promise<Cluster> => {
  const opened: { close(): Promise<void> }[] = []
  const close = async (): Promise<void> => {
    for (const each of opened.reverse()) await each.close()
  }
  const start = async (like?: BenchBroker): Promise<BenchBroker> => {
    const broker = await startBroker(name)
    opened.push({ close: () => broker.stop() })
    if (like) await (name === 'redis' ? copyFunctions(like, broker) : copyStreams(like, broker))
    return broker
  }
  const several = async (begin: () => Promise<Node>): Promise<Several> => {
    const nodes = await Promise.all(Array.from({ length: count }, begin))
    opened.push(...nodes)
    const [first, ...others] = nodes
    if (!first) throw new Error('there is no node')
    return { first, others, targets: nodes.map(({ target }) => target) }
  }
  const listen = async ({ targets }: Several): Promise<Listeners> => {
    const listeners = await Listeners.open(targets, channels)
    opened.push({ close: async () => listeners.close() })
    return listeners
  }
  const published = async ({ first }: Several): Promise<Record<'websocket' | 'http', Publisher>> => {
    const [websocket, http] = [await openWebSocketPublisher(first.target), await openHttpPublisher(first.target, BATCH)]
    opened.push(websocket, http)
    return { websocket, http }
  }
  try {
    const broker = await start()
    const nodes = await several(() => Node.start(broker))
    const { listeners, traffic } = await watch(broker, channels, nodes.first, () => listen(nodes))
    const [bareBroker, relayBroker] = [await start(broker), await start(broker)]
    const bare = await several(() => Node.startBare(bareBroker, traffic))
    const relays = await several(() => Node.startRelay(relayBroker, traffic))
    const relayListeners = await listen(relays)
    const lanes =
      (of: Several, over: BenchBroker, heard: Listeners) =>
      (publisher: Publisher): Lane => ({
        publisher,
        listeners: heard,
        ...secondsOf(of, over),
      })
    const [ours, theirs] = [lanes(nodes, broker, listeners), lanes(relays, relayBroker, relayListeners)]
    const [toOurs, toTheirs] = [await published(nodes), await published(relays)]
    return {
      nodes: count,
      lanes: {
        'bare loop': { publisher: bare.first, ...secondsOf(bare, bareBroker) },
        'relay: embedded': theirs(relays.first),
        embedded: ours(nodes.first),
        'relay: websocket': theirs(toTheirs.websocket),
        websocket: ours(toOurs.websocket),
        'relay: http': theirs(toTheirs.http),
        http: ours(toOurs.http),
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Processes that are alike; the first is published to. */
interface Several {
  readonly first: Node
  readonly others: readonly Node[]
  readonly targets: readonly Node['target'][]
}

const secondsOf = ({ first, others }: Several, broker: BenchBroker): Omit<Lane, 'publisher' | 'listeners'> => ({
  brokerSeconds: () => broker.cpuSeconds(),
  nodeSeconds: () => first.cpuSeconds(),
  othersSeconds: () => others.reduce((sum, other) => sum + (other.cpuSeconds() ?? Number.NaN), 0),
  brokerWaitSeconds: () => broker.coreWaitSeconds(),
  nodeWaitSeconds: () => first.coreWaitSeconds(),
})
