import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually, Random } from '@fusewire/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Api } from './api.ts'
import { EventSubscriber } from './faults/event-subscriber.ts'
import { judge } from './faults/judge.ts'
import { SdkSubscriber } from './faults/sdk-subscriber.ts'
import { createStreams, RULES, type Stream } from './faults/stream.ts'
import type { Subscriber } from './faults/subscriber.ts'
import { untilAllAreAt } from './faults/until-all-are-at.ts'
import { WireSubscriber } from './faults/wire-subscriber.ts'
import { Cluster } from './rolling-restart/cluster.ts'
import { ownLines } from './rolling-restart/own-lines.ts'
import { ROUTES } from './sdk-client.ts'
import { tcpWay } from './wire/tcp-way.ts'
import type { Endpoints } from './wire/way.ts'
import { WAYS } from './wire/ways.ts'

const WINDOW_MS = 3000
const PUBLISH_EVERY_MS = 10
const LOOK_EVERY_MS = 50

/** About sixty clients: the SDK over every transport, clients by hand on every way in, bare event sources, devices. */
const startSubscribers = (cluster: Cluster, streams: readonly Stream[]): Promise<Subscriber[]> => {
  const random = new Random(1)
  const start = async (open: (endpoints: Endpoints) => Subscriber): Promise<Subscriber> => open(await cluster.entrance())
  const sdk = ROUTES.flatMap(({ transport, scheme, encoding }) =>
    Array.from({ length: 5 }, () => {
      const { close, ...platform } = ownLines()
      onTestFinished(close)
      return start((at) => new SdkSubscriber(at[scheme], streams, { transport, encoding, platform }))
    }),
  )
  const ways = [...WAYS, tcpWay('TLS'), tcpWay('TLS'), tcpWay('cleartext'), tcpWay('cleartext')]
  const byHand = ways.map((way) => start((at) => new WireSubscriber(way, at, streams, random.fork())))
  const events = (['HTTP/1.1', 'HTTP/2'] as const).flatMap((version) =>
    Array.from({ length: 2 }, () => start((at) => new EventSubscriber(at.https, version, streams, random.fork()))),
  )
  return Promise.all([...sdk, ...byHand, ...events])
}

/** Publishes until it is stopped, and repeats with the same key what was not answered. Nothing is given up. */
const publish = async ({ name, journal }: Stream, api: Api, isStopped: () => boolean): Promise<void> => {
  for (let n = 1; !isStopped(); n++) {
    const data = { n }
    const key = randomUUID()
    journal.begin(data)
    const { position } = await eventually(() => api.publish(name, data, { key }), { timeoutMs: 10_000 })
    journal.acknowledge(position, data)
    await delay(PUBLISH_EVERY_MS)
  }
}

/** How much of it fell into the fullest fifth of the window; moments are counted from its beginning. */
const largestShare = (moments: readonly number[]): number => {
  const fifths = Array.from({ length: 5 }, () => 0)
  for (const at of moments) {
    const fifth = Math.min(4, Math.floor((5 * at) / WINDOW_MS))
    fifths[fifth] = (fifths[fifth] ?? 0) + 1
  }
  return Math.max(...fifths) / moments.length
}

describe('a rolling restart of two nodes behind a TCP balancer', () => {
  it('loses nothing, and spreads the moves of the clients over the window', { timeout: 90_000 }, async () => {
    const cluster = await Cluster.start(2, { rules: RULES, drainWindowMs: WINDOW_MS, drainTimeoutMs: 10_000 })
    onTestFinished(() => cluster[Symbol.asyncDispose]())
    const streams = createStreams('news').slice(0, 2)
    const subscribers = await startSubscribers(cluster, streams)
    onTestFinished(async () => {
      await Promise.all(subscribers.map((subscriber) => subscriber.close()))
    })
    const everyoneIsAt = (place: (stream: Stream) => number): Promise<void> => untilAllAreAt(subscribers, streams, place, 20_000)
    await everyoneIsAt(() => 0)

    const api = new Api((await cluster.entrance()).http)
    let isStopped = false
    const publishing = Promise.all(streams.map((stream) => publish(stream, api, () => isStopped)))
    // Counted from the beginning of the window: when clients were told to move, and when the other node had more of them.
    const moves: number[] = []
    const arrivals: number[] = []
    for (const index of [0, 1]) {
      await eventually(async () => expect(await cluster.connections(index)).toBeGreaterThan(subscribers.length / 6), {
        timeoutMs: 20_000,
      })
      const beganAt = performance.now()
      const restarting = cluster.restart(index)
      let seen = await cluster.connections(1 - index)
      for (let now = 0; now < WINDOW_MS; now = performance.now() - beganAt) {
        await delay(LOOK_EVERY_MS)
        const connections = await cluster.connections(1 - index)
        for (; seen < connections; seen++) arrivals.push(performance.now() - beganAt)
      }
      for (const at of await restarting) moves.push(at - beganAt)
      await everyoneIsAt(({ journal }) => journal.last)
    }
    isStopped = true
    await publishing
    await everyoneIsAt(({ journal }) => journal.last)

    expect(moves.length).toBeGreaterThanOrEqual(subscribers.length)
    expect(largestShare(moves), 'of those who were told').toBeLessThan(0.4)
    // A machine that is busy lets some of them come together.
    expect(arrivals.length).toBeGreaterThan(subscribers.length / 4)
    expect(largestShare(arrivals), 'of those who came').toBeLessThan(0.7)

    let recovered = 0
    for (const subscriber of subscribers) {
      expect(subscriber.problems).toEqual([])
      for (const stream of streams) {
        const verdict = judge(subscriber.told.get(stream) ?? [], stream.journal, stream.promised)
        expect(verdict.violations.map(({ message }) => message)).toEqual([])
        expect(verdict).toMatchObject({ lost: 0, delivered: expect.any(Number) })
        recovered += verdict.recovered
      }
    }
    // Everyone has moved at least once, with both channels.
    expect(recovered).toBeGreaterThanOrEqual(2 * subscribers.length)
    for (const { journal } of streams) {
      expect(journal.acknowledged).toBe(journal.last)
      expect(journal.acknowledged).toBeGreaterThan(20)
    }
  })
})
