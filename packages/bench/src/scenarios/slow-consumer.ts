import type { RunOptions, Sample, Scenario, Trial } from '../frame/scenario.ts'
import { median, quantile } from '../frame/statistics.ts'
import { Audience } from '../load/audience.ts'
import { type Candidate, fusewire, type ReachableServer, reach } from '../load/candidates.ts'
import { openPublisher, publishInWindow } from '../load/publishing.ts'
import { until } from '../load/until.ts'
import { type LoadClient, openWebSocket } from '../load/web-socket-client.ts'

const CHANNEL = 'bench:fan-out'

/** What becomes of the stalled reader, by the rule of its channels. */
const POLICIES = ['disconnect', 'latest'] as const

type Policy = (typeof POLICIES)[number]

interface Load {
  readonly policy: Policy
  /** Subscribers that read. */
  readonly readers: number
  /** Bytes of each message's text. */
  readonly bytes: number
  /** How long to publish to either server, in milliseconds. */
  readonly durationMs: number
}

/** What the readers had of one slice of time. */
interface Slice {
  readonly deliveriesPerSecond: number
  /** Between publishing and the arrival at a reader. */
  readonly p50: number
  readonly p99: number
}

/** Slices that followed one another. */
interface Pair {
  readonly without: Slice
  readonly with: Slice
}

/** Both servers are measured in slices of so many milliseconds, by turns, so that whatever else the machine does hits both alike. */
const SLICE_MS = 250

/** Where the stalled reader alone is subscribed as well. */
const FLOOD_CHANNEL = 'bench:flood'
const FLOOD_BYTES = 50_000
const FLOOD_BATCH = 20
/** So many batches of 1 MB in a row after which the reader is behind: its socket is full, not just busy. */
const FULL_BATCHES = 5

/** Enough for the stalled reader to stay there as long as it is measured. */
const MAX_BUFFERED_BYTES = 256 * 1_048_576

/** Publishes to the readers of two servers, one message at a time; beside those of one of them, a subscriber's socket is full. */
const measureSlowConsumer = async (load: Load): Promise<Sample> => {
  const sides: Side[] = []
  try {
    const without = await Side.open(load, false)
    sides.push(without)
    const withStalled = await Side.open(load, true)
    sides.push(withStalled)
    const pairs: Pair[] = []
    for (let measuredMs = 0; measuredMs < load.durationMs; measuredMs += SLICE_MS) {
      // A B, B A, A B, …: whoever comes second always might find another machine.
      const isStalledFirst = pairs.length % 2 === 1
      const first = await (isStalledFirst ? withStalled : without).measure()
      const second = await (isStalledFirst ? without : withStalled).measure()
      pairs.push(isStalledFirst ? { without: second, with: first } : { without: first, with: second })
    }
    await Promise.all(sides.map((side) => side.assertUnchanged()))
    return sampleOf(pairs, withStalled.deliveriesPerCpuSecond / without.deliveriesPerCpuSecond)
  } finally {
    await Promise.all(sides.map((side) => side.close()))
  }
}

/** Medians; the ratios are those of pairs of slices that followed one another. */
const sampleOf = (pairs: readonly Pair[], cpuRatio: number): Sample => {
  const of = (pick: (pair: Pair) => number): number => median(pairs.map(pick))
  return {
    p99All: of(({ without }) => without.p99),
    p99Stalled: of((pair) => pair.with.p99),
    p99Ratio: of((pair) => pair.with.p99 / pair.without.p99),
    p50Ratio: of((pair) => pair.with.p50 / pair.without.p50),
    rateRatio: of((pair) => pair.with.deliveriesPerSecond / pair.without.deliveriesPerSecond),
    cpuRatio,
  }
}

const candidateOf = (policy: Policy): Candidate => {
  const rules = [{ pattern: 'bench:*', slowConsumer: policy, subscribe: 'anyone', publish: 'anyone' }]
  return fusewire({
    flags: [
      ...['--rules', JSON.stringify(rules)],
      ...['--max-buffered-bytes', `${MAX_BUFFERED_BYTES}`],
      ...['--ping-interval-ms', '3600000'],
    ],
  })
}

interface SideParts {
  readonly server: ReachableServer
  readonly stalled: LoadClient | undefined
  readonly audience: Audience
  readonly publisher: LoadClient
  readonly load: Load
  readonly clock: { publishedAt: number }
  readonly latencies: number[]
}

/** One server with its readers, and with a stalled one or without. */
class Side {
  readonly #parts: SideParts
  readonly #frame: Buffer
  #deliveries = 0
  #cpuSeconds = 0

  private constructor(parts: SideParts, frame: Buffer) {
    this.#parts = parts
    this.#frame = frame
  }

  static async open(load: Load, isOneStalled: boolean): Promise<Side> {
    const candidate = candidateOf(load.policy)
    const server = await reach(candidate)
    try {
      const stalled = await stall(server, candidate)
      // Both have the same past, and so the same heap and the same compiled code.
      if (!isOneStalled) await leave(stalled, server)
      const latencies: number[] = []
      const clock = { publishedAt: 0 }
      const audience = await Audience.open(server, candidate, {
        clients: load.readers,
        channels: () => [CHANNEL],
        onDelivery: () => latencies.push(performance.now() - clock.publishedAt),
      })
      const publisher = await openPublisher(server, candidate)
      const frame = candidate.dialect.publish(CHANNEL, 'x'.repeat(load.bytes))
      return new Side({ server, stalled: isOneStalled ? stalled : undefined, audience, publisher, load, clock, latencies }, frame)
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  get deliveriesPerCpuSecond(): number {
    return this.#deliveries / this.#cpuSeconds
  }

  async measure(): Promise<Slice> {
    const { server, audience, publisher, load, clock, latencies } = this.#parts
    latencies.length = 0
    const nextFrames = (): Buffer => {
      clock.publishedAt = performance.now()
      return this.#frame
    }
    const options = { durationMs: SLICE_MS, nextFrames, deliveriesEach: load.readers, window: 1 }
    const { deliveries, seconds, cpuSeconds = Number.NaN } = await publishInWindow(server, audience, publisher, options)
    this.#deliveries += deliveries
    this.#cpuSeconds += cpuSeconds
    const sorted = Float64Array.from(latencies).sort()
    return { deliveriesPerSecond: deliveries / seconds, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
  }

  async assertUnchanged(): Promise<void> {
    const { server, stalled } = this.#parts
    if ((await behind(server)) !== (stalled ? 1 : 0))
      throw new Error('the stalled reader was not there, or was not gone, all the time')
  }

  close(): Promise<void> {
    const { server, stalled, audience, publisher } = this.#parts
    audience.close()
    publisher.destroy()
    stalled?.destroy()
    return server.stop()
  }
}

const base = ({ address }: ReachableServer): string => `http://${address.host}:${address.port}`

/** Connections for which something waits. */
const behind = async (server: ReachableServer): Promise<number> => {
  const text = await (await fetch(`${base(server)}/metrics`)).text()
  return Number(/^fusewire_connections_behind\{transport="websocket"\} (\d+)$/mu.exec(text)?.[1])
}

/** Subscribes to the channel that is measured, reads nothing, and is sent so much elsewhere that its socket takes no more. */
const stall = async (server: ReachableServer, { dialect }: Candidate): Promise<LoadClient> => {
  const client = await openWebSocket(server.address, { dialect }, () => {})
  client.socket.pause()
  for (const frame of dialect.subscribe([CHANNEL, FLOOD_CHANNEL])) client.write(frame)
  const command = { publish: { channel: FLOOD_CHANNEL, data: 'x'.repeat(FLOOD_BYTES) } }
  const body = JSON.stringify({ commands: Array.from({ length: FLOOD_BATCH }, () => command) })
  let full = 0
  await until(async () => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${base(server)}/v1/batch`, { method: 'POST', headers, body })
    if (!response.ok) throw new Error(`the flood was answered with ${response.status} ${await response.text()}`)
    await response.arrayBuffer()
    full = (await behind(server)) === 1 ? full + 1 : 0
    return full === FULL_BATCHES
  }, 'the stalled reader does not fall behind')
  return client
}

const leave = async (client: LoadClient, server: ReachableServer): Promise<void> => {
  client.destroy()
  await until(async () => (await behind(server)) === 0, 'the stalled reader does not leave')
}

const plan = ({ durationMs, isQuick, clients = 999, bytes = 100 }: RunOptions): readonly Trial[] =>
  POLICIES.map((policy) => ({
    case: `slowConsumer: ${policy}`,
    candidate: 'fusewire',
    description: 'one subscriber more that reads nothing, beside a server where all read',
    open: async () => {
      const load = { policy, readers: clients, bytes, durationMs: durationMs ?? (isQuick ? 3000 : 20_000) }
      return { measure: () => measureSlowConsumer(load), close: async () => {} }
    },
  }))

export const SLOW_CONSUMER: Scenario = {
  name: 'slow-consumer',
  summary:
    'what one subscriber that reads nothing costs the others, under each rule for it; two servers by turns, in slices of 250 ms',
  measures: [
    { name: 'p99All', title: 'p99 ms, all read', digits: 2 },
    { name: 'p99Stalled', title: 'p99 ms, one stalled', digits: 2 },
    { name: 'p99Ratio', title: 'p99 ratio', digits: 3 },
    { name: 'p50Ratio', title: 'p50 ratio', digits: 3 },
    { name: 'rateRatio', title: 'rate ratio', digits: 3 },
    { name: 'cpuRatio', title: 'deliveries/CPU s ratio', digits: 3 },
  ],
  main: 'p99Ratio',
  rounds: 1,
  takes: ['clients', 'bytes'],
  plan,
}
