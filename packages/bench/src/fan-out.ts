import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Candidate, type Running, start } from './candidate.ts'
import { clientFrame, openWebSocket } from './raw-web-socket.ts'
import { Subscribers } from './subscribers.ts'
import { until } from './until.ts'

export interface FanOutOptions {
  /** Subscribers. */
  readonly clients: number
  /** Bytes of each message's text. */
  readonly bytes: number
  /** How long to publish, in milliseconds. */
  readonly durationMs: number
  /**
   * Messages under way at most. With 1 the next one is published when all subscribers have the last, so that nothing can be joined
   * on its way; with more a server may save writes.
   */
  readonly window: number
}

export interface FanOutResult {
  /** Messages that reached a client, a second. */
  readonly deliveriesPerSecond: number
  /** The same a second of the server's CPU time; undefined where the system does not tell it. */
  readonly deliveriesPerCpuSecond: number | undefined
  /** The server's CPU time by the wall clock: well below 1 means that the load, not the server, was the limit. */
  readonly serverCpuShare: number | undefined
}

/** What was published and delivered within one measurement. */
export interface Burst {
  readonly deliveries: number
  readonly seconds: number
  /** The server's CPU time; undefined where the system does not tell it. */
  readonly cpuSeconds: number | undefined
}

/** Publishes to many subscribers as fast as the messages arrive, and counts what arrives. */
export const fanOut = async (candidate: Candidate, options: FanOutOptions): Promise<FanOutResult> => {
  const server = await start(candidate)
  try {
    const audience = await Audience.open(server, candidate, options)
    try {
      const { deliveries, seconds, cpuSeconds } = await audience.measure(options.durationMs)
      return {
        deliveriesPerSecond: deliveries / seconds,
        deliveriesPerCpuSecond: cpuSeconds === undefined ? undefined : deliveries / cpuSeconds,
        serverCpuShare: cpuSeconds === undefined ? undefined : cpuSeconds / seconds,
      }
    } finally {
      audience.close()
    }
  } finally {
    await server.stop()
  }
}

/** Called for each delivery, with the milliseconds since the last message was published: with a window of 1, what it took. */
export type OnDelivery = (tookMs: number) => void

/** A publisher and its subscribers, to be measured once or again and again. */
export class Audience {
  readonly #server: Running
  readonly #name: string
  readonly #subscribers: Subscribers
  readonly #publisher: Socket
  readonly #options: Omit<FanOutOptions, 'durationMs'>
  readonly #frame: Buffer
  readonly #clock: { publishedAt: number }

  private constructor(
    server: Running,
    candidate: Candidate,
    options: Omit<FanOutOptions, 'durationMs'>,
    opened: { readonly subscribers: Subscribers; readonly publisher: Socket; readonly clock: { publishedAt: number } },
  ) {
    this.#server = server
    this.#name = candidate.name
    this.#subscribers = opened.subscribers
    this.#publisher = opened.publisher
    this.#clock = opened.clock
    this.#options = options
    this.#frame = clientFrame(candidate.publish('x'.repeat(options.bytes)))
  }

  static async open(
    server: Running,
    candidate: Candidate,
    options: Omit<FanOutOptions, 'durationMs'>,
    onDelivery?: OnDelivery,
  ): Promise<Audience> {
    const clock = { publishedAt: 0 }
    const onFrame = onDelivery && (() => onDelivery(performance.now() - clock.publishedAt))
    const subscribers = await Subscribers.open(server.target, candidate, options.clients, onFrame)
    const publisher = await openWebSocket(server.target)
    publisher.resume()
    for (const message of candidate.introduce) publisher.write(clientFrame(message))
    await delay(300)
    return new Audience(server, candidate, options, { subscribers, publisher, clock })
  }

  async measure(durationMs: number): Promise<Burst> {
    const { clients, window } = this.#options
    const before = this.#subscribers.received
    const cpuBefore = this.#server.cpuSeconds()
    const begin = performance.now()
    let published = 0
    while (performance.now() - begin < durationMs) {
      while (published - (this.#subscribers.received - before) / clients < window) {
        this.#clock.publishedAt = performance.now()
        this.#publisher.write(this.#frame)
        published++
      }
      await new Promise(setImmediate)
    }
    const deliveries = published * clients
    await until(() => this.#subscribers.received - before >= deliveries, `${this.#name}: messages are missing`)
    const seconds = (performance.now() - begin) / 1000
    const cpuAfter = this.#server.cpuSeconds()
    const cpuSeconds = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore
    return { deliveries, seconds, cpuSeconds }
  }

  close(): void {
    this.#publisher.destroy()
    this.#subscribers.close()
  }
}
