import { bareNats, watchNats } from './bare-nats.ts'
import { bareRedis, watchRedis } from './bare-redis.ts'
import { type BenchBroker, type BrokerName, startBroker } from './broker.ts'
import { type Latency, Listeners } from './listeners.ts'
import { Node } from './node.ts'
import { openHttpPublisher, openWebSocketPublisher, type Publisher } from './publisher.ts'
import type { Load, Sent } from './window.ts'

export const WAYS = ['embedded', 'websocket', 'http'] as const
export type PublishingWay = (typeof WAYS)[number]

export interface ClusterOptions {
  readonly durationMs: number
  readonly depth: number
  readonly channels: number
  readonly bytes: number
}

/** One measurement of one way to publish, or of the bare loop. */
export interface Measured {
  readonly publishesPerSecond: number
  /** CPU time of the broker and of the node that was published to, in microseconds for each publication. */
  readonly brokerMicroseconds: number
  readonly nodeMicroseconds: number
  /** At half of the rate; absent for the bare loop. */
  readonly latency?: Latency
}

export interface ClusterMeasured {
  readonly bare: Measured
  readonly ways: Readonly<Record<PublishingWay, Measured>>
}

const WARM_UP_MS = 500
/** Commands in a batch of the HTTP API, at most. */
const BATCH = 50

interface Clocks {
  readonly broker: () => number | undefined
  readonly node: () => number | undefined
}

const timed = async ({ broker, node }: Clocks, run: () => Promise<Sent>): Promise<Measured> => {
  const before = [broker(), node()]
  const { acknowledged, failed, seconds } = await run()
  if (failed > 0) throw new Error(`${failed} of ${failed + acknowledged} publications were refused`)
  const after = [broker(), node()]
  const microseconds = (index: number): number =>
    (((after[index] ?? Number.NaN) - (before[index] ?? Number.NaN)) * 1e6) / acknowledged
  return { publishesPerSecond: acknowledged / seconds, brokerMicroseconds: microseconds(0), nodeMicroseconds: microseconds(1) }
}

/** Publishes as fast as it goes, and then at half of that rate, with a subscriber on each node. */
const measureWay = async (
  publisher: Publisher,
  clocks: Clocks,
  listeners: Listeners,
  nodes: number,
  options: ClusterOptions,
): Promise<Measured> => {
  await publisher.run({ ...options, durationMs: WARM_UP_MS })
  const measured = await timed(clocks, () => publisher.run(options))
  const heard = listeners.deliveries
  await new Promise((resolve) => setTimeout(resolve, 500))
  if (listeners.deliveries === 0) throw new Error(`nothing was delivered (${heard})`)
  listeners.measure()
  const { acknowledged } = await publisher.run({ ...options, rate: measured.publishesPerSecond / 2 })
  return { ...measured, latency: await listeners.latency(acknowledged * nodes) }
}

const bareLoop = async (
  broker: BenchBroker,
  nodes: number,
  node: Node,
  subscribe: () => Promise<Listeners>,
  options: ClusterOptions,
): Promise<{ readonly listeners: Listeners; readonly run: (load: Load) => Promise<Sent> }> => {
  const publishOnce = (channel: number) => node.run({ ...options, durationMs: 0, once: channel })
  if (broker.name === 'nats') {
    const listeners = await subscribe()
    const traffic = await watchNats(broker, options.channels, publishOnce)
    return { listeners, run: (load) => bareNats(broker, traffic, nodes, load) }
  }
  let listeners: Listeners | undefined
  const traffic = await watchRedis(
    broker,
    options.channels,
    async () => {
      listeners = await subscribe()
    },
    publishOnce,
  )
  if (!listeners) throw new Error('nobody listens')
  return { listeners, run: (load) => bareRedis(broker, traffic, nodes, load) }
}

/** One cluster of nodes over a fresh broker: every way to publish, then the bare loop over the same broker. */
export const measureCluster = async (name: BrokerName, count: number, options: ClusterOptions): Promise<ClusterMeasured> => {
  const broker = await startBroker(name)
  const nodes: Node[] = []
  try {
    for (let index = 0; index < count; index++) nodes.push(await Node.start(broker.url))
    const [node] = nodes
    if (!node) throw new Error('there is no node')
    const subscribe = () =>
      Listeners.open(
        nodes.map(({ target }) => target),
        options.channels,
      )
    const bare = await bareLoop(broker, count, node, subscribe, options)
    const clocks: Clocks = { broker: () => broker.cpuSeconds(), node: () => node.cpuSeconds() }
    const publishers: Readonly<Record<PublishingWay, Publisher>> = {
      embedded: node,
      websocket: await openWebSocketPublisher(node.target),
      http: await openHttpPublisher(node.target, BATCH),
    }
    const ways = {} as Record<PublishingWay, Measured>
    for (const way of WAYS) ways[way] = await measureWay(publishers[way], clocks, bare.listeners, count, options)
    bare.listeners.close()
    for (const way of WAYS) await publishers[way].close()
    while (nodes.length > 0) await nodes.pop()?.close()
    await bare.run({ ...options, durationMs: WARM_UP_MS })
    return { ways, bare: await timed({ broker: clocks.broker, node: () => undefined }, () => bare.run(options)) }
  } finally {
    await Promise.all(nodes.map((node) => node.close()))
    await broker.stop()
  }
}
