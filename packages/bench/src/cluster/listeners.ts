import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Samples } from '../frame/samples.ts'
import { DIALECTS } from '../load/dialect.ts'
import type { Address } from '../load/open-socket.ts'
import { until } from '../load/until.ts'
import { type LoadClient, openWebSocket } from '../load/web-socket-client.ts'
import { channelName } from './channel-name.ts'
import { HeardPublications } from './heard-publications.ts'
import { clock, type Percentiles, percentiles } from './window.ts'

/** Of publications, until a subscriber had them. */
export interface Latency {
  readonly deliveries: number
  readonly fromDue: Percentiles
  readonly fromMade: Percentiles
  /** 99th percentile of how late the process of the subscribers was with what it had to do, in milliseconds. */
  readonly listenersLateP99: number
}

/** How often the delay of this process is looked at. */
const RESOLUTION_MS = 1

const DIALECT = DIALECTS.fusewire

/** One subscriber on each node, of all channels. */
export class Listeners {
  readonly #sockets: LoadClient[] = []
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  readonly #fromDue = new Samples()
  readonly #fromMade = new Samples()
  #isMeasured = false
  /** Since the beginning, by all. */
  #deliveries = 0
  #lastAt = 0

  static async open(targets: readonly Address[], channels: number): Promise<Listeners> {
    const listeners = new Listeners()
    const names = Array.from({ length: channels }, (_, index) => channelName(index))
    let greetings = targets.length * DIALECT.greetings(channels)
    for (const target of targets) {
      const heard = new HeardPublications((dueAt, madeAt) => listeners.#hear(dueAt, madeAt))
      const onMessages = (messages: number, chunk: Buffer): void => {
        greetings -= messages
        heard.push(chunk)
      }
      const client = await openWebSocket(target, { dialect: DIALECT }, onMessages)
      listeners.#sockets.push(client)
      for (const frame of DIALECT.subscribe(names)) client.write(frame)
    }
    await until(() => greetings <= 0, 'subscribers are not ready')
    return listeners
  }

  get subscribers(): number {
    return this.#sockets.length
  }

  /** From now on deliveries are counted anew, and each is measured if asked for. */
  begin(isMeasured: boolean): void {
    this.#deliveries = 0
    this.#fromDue.clear()
    this.#fromMade.clear()
    this.#isMeasured = isMeasured
    this.#delay.reset()
    if (isMeasured) this.#delay.enable()
  }

  /** Resolves with when the last came of so many publications that each of the subscribers is to have. */
  async heard(publications: number): Promise<number> {
    const expected = publications * this.subscribers
    await until(
      () => this.#deliveries >= expected,
      () => `${expected - this.#deliveries} deliveries are missing`,
    )
    this.#delay.disable()
    return this.#lastAt
  }

  /** What was measured. */
  latency(): Latency {
    return {
      deliveries: this.#deliveries,
      fromDue: percentiles(this.#fromDue),
      fromMade: percentiles(this.#fromMade),
      listenersLateP99: Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION_MS),
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #hear(dueAt: number, madeAt: number): void {
    const now = clock()
    this.#lastAt = now
    this.#deliveries++
    if (!this.#isMeasured) return
    this.#fromDue.add(now - dueAt)
    this.#fromMade.add(now - madeAt)
  }
}
