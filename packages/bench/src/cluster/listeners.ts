import { WebSocket } from 'ws'
import { quantile } from '../median.ts'
import type { Target } from '../raw-web-socket.ts'
import { until } from '../until.ts'
import { channelName } from './channel-name.ts'
import { clock } from './window.ts'

/** Latencies in milliseconds, from the call that published until a subscriber had it. */
export interface Latency {
  readonly deliveries: number
  readonly p50: number
  readonly p99: number
}

/** One subscriber on each node, of all channels. */
export class Listeners {
  readonly #sockets: WebSocket[] = []
  #latencies: number[] | undefined
  deliveries = 0

  static async open(targets: readonly Target[], channels: number): Promise<Listeners> {
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

  /** From now on each delivery is measured. */
  measure(): void {
    this.#latencies = []
  }

  /** What was measured, once this many have come. */
  async latency(expected: number): Promise<Latency> {
    const latencies = this.#latencies ?? []
    await until(() => latencies.length >= expected, `${expected - latencies.length} deliveries are missing`)
    this.#latencies = undefined
    const sorted = Float64Array.from(latencies).sort()
    return { deliveries: sorted.length, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
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
