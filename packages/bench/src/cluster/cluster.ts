import { copyStreams, watchNats } from './bare-nats.ts'
import { copyFunctions, watchRedis } from './bare-redis.ts'
import { type BenchBroker, type BrokerName, startBroker } from './broker.ts'
import { Listeners } from './listeners.ts'
import { Node } from './node.ts'
import { openHttpPublisher, openWebSocketPublisher, type Publisher } from './publisher.ts'
import type { Load } from './window.ts'

/** The bare loop, and the ways to publish. */
export const WAYS = ['bare', 'embedded', 'websocket', 'http'] as const
export type Way = (typeof WAYS)[number]

/** Commands in a batch of the HTTP API, at most. */
const BATCH = 50

/** One way to publish, and the processes behind it. */
export interface Lane {
  readonly publisher: Publisher
  /** Seconds of CPU time of the broker, and of the process that publishes to it. */
  readonly brokerSeconds: () => number | undefined
  readonly nodeSeconds: () => number | undefined
  /** Seconds for which that process waited for a core. */
  readonly coreWaitSeconds: () => number | undefined
}

/** Nodes over a broker with a subscriber on each, and beside it as many bare processes over another that is like it. */
export interface Cluster {
  readonly nodes: number
  readonly listeners: Listeners
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
  const start = async (): Promise<BenchBroker> => {
    const broker = await startBroker(name)
    opened.push({ close: () => broker.stop() })
    return broker
  }
  const several = async (begin: () => Promise<Node>): Promise<Node> => {
    const nodes = await Promise.all(Array.from({ length: count }, begin))
    opened.push(...nodes)
    targets.push(...nodes.map(({ target }) => target))
    const [first] = nodes
    if (!first) throw new Error('there is no node')
    return first
  }
  const targets: Node['target'][] = []
  try {
    const broker = await start()
    const node = await several(() => Node.start(broker))
    const { listeners, traffic } = await watch(broker, channels, node, () => Listeners.open(targets, channels))
    opened.push({ close: async () => listeners.close() })
    const bareBroker = await start()
    await (name === 'redis' ? copyFunctions(broker, bareBroker) : copyStreams(broker, bareBroker))
    const bare = await several(() => Node.startBare(bareBroker, traffic))
    const [websocket, http] = [await openWebSocketPublisher(node.target), await openHttpPublisher(node.target, BATCH)]
    opened.push(websocket, http)
    const laneOf = (publisher: Publisher, of: Node, over: BenchBroker): Lane => ({
      publisher,
      brokerSeconds: () => over.cpuSeconds(),
      nodeSeconds: () => of.cpuSeconds(),
      coreWaitSeconds: () => of.coreWaitSeconds(),
    })
    const lanes = {
      bare: laneOf(bare, bare, bareBroker),
      embedded: laneOf(node, node, broker),
      websocket: laneOf(websocket, node, broker),
      http: laneOf(http, node, broker),
    }
    return { nodes: count, listeners, lanes, close }
  } catch (error) {
    await close()
    throw error
  }
}
