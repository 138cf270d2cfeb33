import type { Socket } from 'node:net'
import { CHANNEL, FUSEWIRE, type Running, start } from './candidate.ts'
import { measureFanOut } from './fan-out.ts'
import { quantile } from './median.ts'
import { clientFrame, openWebSocket } from './raw-web-socket.ts'
import { until } from './until.ts'

/** What becomes of the stalled reader, by the rule of its channels. */
export const POLICIES = ['disconnect', 'latest'] as const

export type Policy = (typeof POLICIES)[number]

export interface SlowConsumerOptions {
  readonly policy: Policy
  /** Whether one more subscriber is there, which does not read. */
  readonly isOneStalled: boolean
  /** Subscribers that read. */
  readonly readers: number
  /** Bytes of each message's text. */
  readonly bytes: number
  /** How long to publish, in milliseconds. */
  readonly durationMs: number
}

export interface SlowConsumerResult {
  readonly deliveriesPerSecond: number
  /** NaN where the system does not tell the server's CPU time. */
  readonly deliveriesPerCpuSecond: number
  /** Between publishing and the arrival at a reader. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Where the stalled reader alone is subscribed as well. */
const FLOOD_CHANNEL = 'bench:flood'
const FLOOD_BYTES = 50_000
const FLOOD_BATCH = 20
/** So many batches of 1 MB in a row after which the reader is behind: its socket is full, not just busy. */
const FULL_BATCHES = 5

/** Enough for the stalled reader to stay there as long as it is measured. */
const MAX_BUFFERED_BYTES = 256 * 1_048_576

/** Publishes to many readers, one message at a time, beside a subscriber whose socket is full, or without one. */
export const slowConsumer = async (options: SlowConsumerOptions): Promise<SlowConsumerResult> => {
  const { policy, isOneStalled, readers, bytes, durationMs } = options
  const access = { subscribe: 'anyone', publish: 'anyone' }
  const server = await start(FUSEWIRE, {
    FUSEWIRE_RULES: JSON.stringify([{ pattern: 'bench:*', slowConsumer: policy, ...access }]),
    FUSEWIRE_MAX_BUFFERED_BYTES: `${MAX_BUFFERED_BYTES}`,
    FUSEWIRE_PING_INTERVAL_MS: '3600000',
  })
  let stalled: Socket | undefined
  try {
    stalled = await stall(server)
    // Both sorts of runs have the same past, and so the same heap and the same compiled code.
    if (!isOneStalled) await leave(stalled, server)
    const latencies: number[] = []
    const result = await measureFanOut(server, FUSEWIRE, { clients: readers, bytes, durationMs, window: 1 }, (tookMs) =>
      latencies.push(tookMs),
    )
    if ((await behind(server)) !== (isOneStalled ? 1 : 0))
      throw new Error('the stalled reader was not there, or was not gone, all the time')
    const sorted = Float64Array.from(latencies).sort()
    return {
      deliveriesPerSecond: result.deliveriesPerSecond,
      deliveriesPerCpuSecond: result.deliveriesPerCpuSecond ?? Number.NaN,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
    }
  } finally {
    stalled?.destroy()
    await server.stop()
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
