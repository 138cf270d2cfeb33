import { monitorEventLoopDelay } from 'node:perf_hooks'
import { WebSocket } from 'ws'
import { until } from '../load/until.ts'
import { channelName } from './channel-name.ts'
import type { NodeAddress } from './node-address.ts'
import { clock, type Percentiles, percentiles } from './window.ts'

/** From when a publication was due until a subscriber had it. */
export interface Latency extends Percentiles {
  readonly deliveries: number
  /** 99th percentile of how late the process of the subscribers was with what it had to do, in milliseconds. */
  readonly listenersLateP99: number
}

/** How often the delay of this process is looked at. */
const RESOLUTION_MS = 1
/** Without a delivery. */
const QUIET_MS = 20

/** One subscriber on each node, of all channels. */
export class Listeners {
  readonly #sockets: WebSocket[] = []
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #latencies: number[] | undefined
  deliveries = 0

  static async open(targets: readonly NodeAddress[], channels: number): Promise<Listeners> {
    const listeners = new Listeners()
    let subscribed = 0
    const subscriptions = Array.from({ length: channels }, (_, index) => ({ channel: channelName(index) }))
    for (const { host, port, path } of targets) {
      const socket = new WebSocket(`ws://${host}:${port}${path}`, { perMessageDeflate: false })
      listeners.#sockets.push(socket)
      socket.once('open', () => socket.send(JSON.stringify({ type: 'connect', subscriptions })))
      socket.on('message', (data) => {
        const text = String(data)
        if (subscribed < targets.length * channels) subscribed += text.match(/"type":"subscribed"/gu)?.length ?? 0
        listeners.#hear(text)
      })
    }
    await until(() => subscribed === targets.length * channels, 'subscribers are not ready')
    return listeners
  }

  /** Resolves when no more deliveries come. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.deliveries; ) {
      before = this.deliveries
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    }
  }

  /** From now on each delivery is measured. */
  measure(): void {
    this.#latencies = []
    this.#delay.reset()
    this.#delay.enable()
  }

  /** What was measured, once this many have come. */
  async latency(expected: number): Promise<Latency> {
    const latencies = this.#latencies ?? []
    await until(() => latencies.length >= expected, `${expected - latencies.length} deliveries are missing`)
    this.#latencies = undefined
    this.#delay.disable()
    const listenersLateP99 = Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION_MS)
    return { deliveries: latencies.length, ...percentiles(latencies), listenersLateP99 }
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate()
  }

  #hear(text: string): void {
    const now = clock()
    for (const line of text.split('\n')) {
      if (!line.startsWith('{"type":"publication"')) continue
      this.deliveries++
      if (!this.#latencies) continue
      const stamp = /"data":"([\d.]+) /u.exec(line)?.[1]
      if (stamp !== undefined) this.#latencies.push(now - Number(stamp))
    }
  }
}
