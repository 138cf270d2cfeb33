import type { Socket } from 'node:net'
import { CHANNEL, FUSEWIRE, type Running, start } from './candidate.ts'
import { Audience } from './fan-out.ts'
import { quantile } from './median.ts'
import { clientFrame, openWebSocket } from './raw-web-socket.ts'
import { until } from './until.ts'

/** What becomes of the stalled reader, by the rule of its channels. */
export const POLICIES = ['disconnect', 'latest'] as const

export type Policy = (typeof POLICIES)[number]

export interface SlowConsumerOptions {
  readonly policy: Policy
  /** Subscribers that read. */
  readonly readers: number
  /** Bytes of each message's text. */
  readonly bytes: number
  /** How long to publish to either server, in milliseconds. */
  readonly durationMs: number
}

/** What the readers had of one slice of time. */
export interface Slice {
  readonly deliveriesPerSecond: number
  /** Between publishing and the arrival at a reader. */
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface SlowConsumerResult {
  /** Slices that followed one another. */
  readonly pairs: readonly { readonly without: Slice; readonly with: Slice }[]
  /** Over all slices; NaN where the system does not tell the server's CPU time. */
  readonly deliveriesPerCpuSecond: { readonly without: number; readonly with: number }
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
export const slowConsumer = async (options: SlowConsumerOptions): Promise<SlowConsumerResult> => {
  const sides: Side[] = []
  try {
    const without = await Side.open(options, false)
    sides.push(without)
    const withStalled = await Side.open(options, true)
    sides.push(withStalled)
    const pairs: { without: Slice; with: Slice }[] = []
    for (let measuredMs = 0; measuredMs < options.durationMs; measuredMs += SLICE_MS) {
      // A B, B A, A B, …: whoever comes second always might find another machine.
      const isStalledFirst = pairs.length % 2 === 1
      const first = await (isStalledFirst ? withStalled : without).measure()
      const second = await (isStalledFirst ? without : withStalled).measure()
      pairs.push(isStalledFirst ? { without: second, with: first } : { without: first, with: second })
    }
    await Promise.all(sides.map((side) => side.assertUnchanged()))
    return {
      pairs,
      deliveriesPerCpuSecond: { without: without.deliveriesPerCpuSecond, with: withStalled.deliveriesPerCpuSecond },
    }
  } finally {
    await Promise.all(sides.map((side) => side.close()))
  }
}

/** One server with its readers, and with a stalled one or without. */
class Side {
  readonly #server: Running
  readonly #stalled: Socket | undefined
  readonly #audience: Audience
  readonly #latencies: number[]
  #deliveries = 0
  #cpuSeconds = 0

  private constructor(server: Running, stalled: Socket | undefined, audience: Audience, latencies: number[]) {
    this.#server = server
    this.#stalled = stalled
    this.#audience = audience
    this.#latencies = latencies
  }

  static async open({ policy, readers, bytes }: SlowConsumerOptions, isOneStalled: boolean): Promise<Side> {
    const access = { subscribe: 'anyone', publish: 'anyone' }
    const server = await start(FUSEWIRE, {
      FUSEWIRE_RULES: JSON.stringify([{ pattern: 'bench:*', slowConsumer: policy, ...access }]),
      FUSEWIRE_MAX_BUFFERED_BYTES: `${MAX_BUFFERED_BYTES}`,
      FUSEWIRE_PING_INTERVAL_MS: '3600000',
    })
    try {
      const stalled = await stall(server)
      // Both have the same past, and so the same heap and the same compiled code.
      if (!isOneStalled) await leave(stalled, server)
      const latencies: number[] = []
      const size = { clients: readers, bytes, window: 1 }
      const audience = await Audience.open(server, FUSEWIRE, size, (tookMs) => latencies.push(tookMs))
      return new Side(server, isOneStalled ? stalled : undefined, audience, latencies)
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  get deliveriesPerCpuSecond(): number {
    return this.#deliveries / this.#cpuSeconds
  }

  async measure(): Promise<Slice> {
    this.#latencies.length = 0
    const { deliveries, seconds, cpuSeconds = Number.NaN } = await this.#audience.measure(SLICE_MS)
    this.#deliveries += deliveries
    this.#cpuSeconds += cpuSeconds
    const sorted = Float64Array.from(this.#latencies).sort()
    return { deliveriesPerSecond: deliveries / seconds, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) }
  }

  async assertUnchanged(): Promise<void> {
    if ((await behind(this.#server)) !== (this.#stalled ? 1 : 0))
      throw new Error('the stalled reader was not there, or was not gone, all the time')
  }

  close(): Promise<void> {
    this.#audience.close()
    this.#stalled?.destroy()
    return this.#server.stop()
  }
}

const base = ({ target }: Running): string => `http://${target.host}:${target.port}`

/** Connections for which something waits. */
const behind = async (server: Running): Promise<number> => {
  const text = await (await fetch(`${base(server)}/metrics`)).text()
  return Number(/^fusewire_connections_behind\{transport="websocket"\} (\d+)$/mu.exec(text)?.[1])
}

/** Subscribes to the channel that is measured, reads nothing, and is sent so much elsewhere that its socket takes no more. */
const stall = async (server: Running): Promise<Socket> => {
  const socket = await openWebSocket(server.target)
  socket.pause()
  const channels = [CHANNEL, FLOOD_CHANNEL]
  socket.write(clientFrame(JSON.stringify({ type: 'connect', subscriptions: channels.map((channel) => ({ channel })) })))
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
  return socket
}

const leave = async (socket: Socket, server: Running): Promise<void> => {
  socket.destroy()
  await until(async () => (await behind(server)) === 0, 'the stalled reader does not leave')
}
