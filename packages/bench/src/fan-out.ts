import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Candidate, start } from './candidate.ts'
import { FrameCounter } from './frame-counter.ts'
import { clientFrame, openWebSocket } from './raw-web-socket.ts'

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

/** Sockets that are opened at a time. */
const OPENING = 50

/** Publishes to many subscribers as fast as the messages arrive, and counts what arrives. */
export const fanOut = async (candidate: Candidate, options: FanOutOptions): Promise<FanOutResult> => {
  const server = await start(candidate)
  const sockets: Socket[] = []
  try {
    const counters = Array.from({ length: options.clients }, () => new FrameCounter())
    for (let first = 0; first < options.clients; first += OPENING) {
      const batch = counters.slice(first, first + OPENING)
      await Promise.all(
        batch.map(async (counter) => {
          const socket = await openWebSocket(server.target)
          sockets.push(socket)
          socket.on('data', (chunk: Buffer) => counter.push(chunk))
          for (const message of candidate.subscribe) socket.write(clientFrame(message))
        }),
      )
    }
    const received = (): number => counters.reduce((sum, { frames }) => sum + frames, 0)
    const greetings = options.clients * candidate.greetings
    await until(() => received() >= greetings, `${candidate.name}: subscribers are not ready`)

    const publisher = await openWebSocket(server.target)
    sockets.push(publisher)
    publisher.resume()
    for (const message of candidate.introduce) publisher.write(clientFrame(message))
    await delay(300)
    const base = received()

    const frame = clientFrame(candidate.publish('x'.repeat(options.bytes)))
    const cpuBefore = server.cpuSeconds()
    const begin = performance.now()
    let published = 0
    while (performance.now() - begin < options.durationMs) {
      while (published - (received() - base) / options.clients < options.window) {
        publisher.write(frame)
        published++
      }
      await new Promise(setImmediate)
    }
    await until(() => received() - base >= published * options.clients, `${candidate.name}: messages are missing`)
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
    for (const socket of sockets) socket.destroy()
    await server.stop()
  }
}

const until = async (condition: () => boolean, message: string): Promise<void> => {
  const deadline = performance.now() + 30_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(message)
    await delay(5)
  }
}
