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

/** Called for each delivery, with the milliseconds since the last message was published: with a window of 1, what it took. */
export type OnDelivery = (tookMs: number) => void

export interface FanOutResult {
  /** Messages that reached a client, a second. */
  readonly deliveriesPerSecond: number
  /** The same a second of the server's CPU time; undefined where the system does not tell it. */
  readonly deliveriesPerCpuSecond: number | undefined
  /** The server's CPU time by the wall clock: well below 1 means that the load, not the server, was the limit. */
  readonly serverCpuShare: number | undefined
}

/** Starts the server, and measures it alone. */
export const fanOut = async (candidate: Candidate, options: FanOutOptions): Promise<FanOutResult> => {
  const server = await start(candidate)
  try {
    return await measureFanOut(server, candidate, options)
  } finally {
    await server.stop()
  }
}

/** Publishes to many subscribers as fast as the messages arrive, and counts what arrives. */
export const measureFanOut = async (
  server: Running,
  candidate: Candidate,
  options: FanOutOptions,
  onDelivery?: OnDelivery,
): Promise<FanOutResult> => {
  let publishedAt = 0
  const subscribers = await Subscribers.open(
    server.target,
    candidate,
    options.clients,
    onDelivery && (() => onDelivery(performance.now() - publishedAt)),
  )
  const publisher = await openWebSocket(server.target)
  try {
    publisher.resume()
    for (const message of candidate.introduce) publisher.write(clientFrame(message))
    await delay(300)
    const base = subscribers.received

    const frame = clientFrame(candidate.publish('x'.repeat(options.bytes)))
    const cpuBefore = server.cpuSeconds()
    const begin = performance.now()
    let published = 0
    while (performance.now() - begin < options.durationMs) {
      while (published - (subscribers.received - base) / options.clients < options.window) {
        publishedAt = performance.now()
        publisher.write(frame)
        published++
      }
      await new Promise(setImmediate)
    }
    await until(() => subscribers.received - base >= published * options.clients, `${candidate.name}: messages are missing`)
    const seconds = (performance.now() - begin) / 1000
    const cpuAfter = server.cpuSeconds()
    const deliveries = published * options.clients
    const cpu = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore
    return {
      deliveriesPerSecond: deliveries / seconds,
      deliveriesPerCpuSecond: cpu === undefined ? undefined : deliveries / cpu,
      serverCpuShare: cpu === undefined ? undefined : cpu / seconds,
    }
  } finally {
    publisher.destroy()
    subscribers.close()
  }
}
