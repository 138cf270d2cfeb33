import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FusewireInput } from '@fusewire/server'
import { eventually, FaultProxy, Random } from '@fusewire/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Api } from '../api.ts'
import { FusewireCommand } from '../fusewire-command.ts'
import { FusewireProcess } from '../fusewire-process.ts'
import { DEVELOPMENT } from '../server-variants.ts'
import { WAYS } from '../wire/ways.ts'
import { EventSubscriber } from './event-subscriber.ts'
import { judge } from './judge.ts'
import { SdkSubscriber } from './sdk-subscriber.ts'
import { createStreams, RULES, type Stream } from './stream.ts'
import { lastTold, type Subscriber } from './subscriber.ts'
import { WireSubscriber } from './wire-subscriber.ts'

const OPTIONS: FusewireInput = { ...DEVELOPMENT, logLevel: 'warn', pingIntervalMs: 500, pongTimeoutMs: 1000, rules: RULES }
const CLOCK = fileURLToPath(new URL('jumping-clock.mjs', import.meta.url))
const PATIENCE = { timeoutMs: 20_000 }

const start = async (more: FusewireInput = {}, nodeFlags: readonly string[] = []): Promise<FusewireProcess> => {
  const server = await FusewireProcess.start({ ...OPTIONS, ...more }, { nodeFlags })
  onTestFinished(async () => {
    if (server.isRunning) server.signal('SIGCONT')
    await server.stop()
  })
  return server
}

/** Clients of every sort, at addresses that stay. */
const arrive = async ({ https, http }: FusewireProcess, streams: readonly Stream[]): Promise<Subscriber[]> => {
  const random = new Random(1)
  const subscribers: Subscriber[] = [
    ...(['websocket', 'stream', 'sse', 'poll'] as const).map(
      (transport) => new SdkSubscriber(https, streams, { transport, encoding: 'json' }),
    ),
    ...WAYS.map((way) => new WireSubscriber(way, { https, http }, streams, random.fork())),
    new EventSubscriber(http, 'HTTP/1.1', streams, random.fork()),
  ]
  onTestFinished(async () => {
    await Promise.all(subscribers.map((subscriber) => subscriber.close()))
  })
  await eventually(() => {
    for (const { told } of subscribers) for (const each of told.values()) expect(each.length).toBeGreaterThan(0)
  }, PATIENCE)
  return subscribers
}

/** Publishes from every client that can, until it is stopped, and books the answers. Rejections are honest: nobody knows. */
const talk = (subscribers: readonly Subscriber[], stream: Stream) => {
  let isOver = false
  const sum = { answered: 0, rejected: 0 }
  const publishing = subscribers.map(async (subscriber, by) => {
    while (!isOver && subscriber.publish) {
      const data = { by, id: randomUUID() }
      stream.journal.begin(data)
      try {
        stream.journal.acknowledge(await subscriber.publish(stream, data), data)
        sum.answered++
      } catch {
        sum.rejected++
      }
      await delay(10)
    }
  })
  const stop = async (): Promise<typeof sum> => {
    isOver = true
    await Promise.all(publishing)
    return sum
  }
  return { sum, stop }
}

/** Each has come to the end of the stream, and was told nothing wrong on the way. */
const expectPromiseHeld = async (api: Api, subscribers: readonly Subscriber[], stream: Stream): Promise<void> => {
  const { position } = await api.history(stream.name)
  const last = (subscriber: Subscriber) => lastTold(subscriber.told.get(stream) ?? [])
  await eventually(() => expect(subscribers.map(last)).toEqual(subscribers.map(() => position.offset)), PATIENCE)
  for (const subscriber of subscribers) {
    expect(judge(subscriber.told.get(stream) ?? [], stream.journal, stream.promised).violations).toEqual([])
    expect(subscriber.problems).toEqual([])
  }
}

const theLong = (name: string): Stream => createStreams(name)[0] as Stream

describe('a server that is killed in the middle of traffic (kill -9), and started again on the same port', () => {
  it('tells every client at once that the memory broker has lost the history, and takes what was unanswered', async () => {
    const stream = theLong('killed')
    const first = await start()
    const subscribers = await arrive(first, [stream])
    const talking = talk(subscribers, stream)
    await eventually(() => expect(talking.sum.answered).toBeGreaterThan(100), PATIENCE)
    first.signal('SIGKILL')
    expect(await first.stop()).toBe('SIGKILL')

    const second = await start({ port: first.httpsPort, cleartextPort: first.httpPort })
    const answered = talking.sum.answered
    const losses = (subscriber: Subscriber) =>
      (subscriber.told.get(stream) ?? []).flatMap((told) => (told.kind === 'subscribed' && told.wasRecovering ? [told] : []))
    await eventually(() => expect(subscribers.map((each) => losses(each).length)).not.toContain(0), PATIENCE)
    for (const subscriber of subscribers) expect(losses(subscriber)[0]).toMatchObject({ recovered: false })
    await eventually(() => expect(talking.sum.answered).toBeGreaterThan(answered + 100), PATIENCE)
    await talking.stop()
    await expectPromiseHeld(new Api(second.http), subscribers, stream)
  }, 60_000)
})

describe('a process that is stopped for a while (SIGSTOP), and goes on', () => {
  it('as a client: is ended by the heartbeat, comes back and has missed nothing', async () => {
    const server = await start()
    const api = new Api(server.http)
    const channel = 'long:stopped-client'
    await using client = new FusewireCommand(['subscribe', channel, '--url', server.https, '--ca', server.certificateFile], {
      folder: '/tmp',
    })
    await client.until('err', /^Subscribed to/mu)
    const publish = async (from: number, to: number) => {
      for (let n = from; n <= to; n++) await api.publish(channel, n)
    }
    await publish(1, 5)
    client.signal('SIGSTOP')
    await publish(6, 50)
    const ended = () => api.metric('fusewire_disconnects_total', { code: 'heartbeat_timeout' })
    await eventually(async () => expect(await ended()).toBe(1), PATIENCE)
    await publish(51, 60)
    client.signal('SIGCONT')
    const numbers = Array.from({ length: 60 }, (_, n) => n + 1)
    const heard = () =>
      client.out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { data: unknown }).data)
    await eventually(() => expect(heard()).toEqual(numbers), PATIENCE)
  }, 60_000)

  it('as the server: clients notice, come back to their sessions when it does, and have missed nothing', async () => {
    const stream = theLong('stopped-server')
    const server = await start()
    const api = new Api(server.http)
    const subscribers = await arrive(server, [stream])
    const talking = talk(subscribers, stream)
    await eventually(() => expect(talking.sum.answered).toBeGreaterThan(100), PATIENCE)
    const connected = () => subscribers.map(({ comings }) => comings.connected)
    const before = connected()
    server.signal('SIGSTOP')
    // Longer than any of them waits for an answer.
    await delay(4_000)
    const answered = talking.sum.answered
    server.signal('SIGCONT')
    await eventually(() => expect(talking.sum.answered).toBeGreaterThan(answered + 100), PATIENCE)
    await eventually(
      () => expect(connected().filter((count, n) => count > (before[n] ?? 0))).toHaveLength(before.length),
      PATIENCE,
    )
    expect(await talking.stop()).toMatchObject({ rejected: 0 })
    await expectPromiseHeld(api, subscribers, stream)
    // One-way SSE has no session to come back to.
    for (const { comings } of subscribers.slice(0, -1)) expect(comings).toMatchObject({ begunAnew: 0 })
    expect(await api.metric('fusewire_sessions_expired_total')).toBe(0)
  }, 60_000)
})

describe('a server whose clock jumps, two hours ahead and four back', () => {
  it('keeps its connections, and the sessions of those who are away; history that is too old by its clock is said to be lost', async () => {
    const stream = theLong('clock')
    const server = await start({ sessionTtlMs: 20_000 }, ['--import', CLOCK])
    const api = new Api(server.http)
    const subscribers = await arrive(server, [stream])
    const connected = () => subscribers.map(({ comings }) => comings.connected)
    const before = connected()
    const line = await FaultProxy.start(server.httpsPort)
    onTestFinished(() => line.close())
    const away = new SdkSubscriber(`https://localhost:${line.port}`, [stream], { transport: 'websocket', encoding: 'json' })
    onTestFinished(() => away.close())
    await eventually(() => expect(away.comings.connected).toBe(1))

    const jump = async (by: number, recovered: boolean): Promise<void> => {
      const { connected: comings } = away.comings
      line.sever()
      const talking = talk(subscribers, stream)
      await eventually(() => expect(talking.sum.answered).toBeGreaterThan(50), PATIENCE)
      server.signal('SIGUSR2')
      await eventually(() => expect(server.log).toContain(`the clock is off by ${by} h`))
      const { answered } = talking.sum
      await eventually(() => expect(talking.sum.answered).toBeGreaterThan(answered + 100), PATIENCE)
      // Several heartbeats, and turns of the timer wheel, under the new time.
      await delay(2_500)
      expect(await talking.stop()).toMatchObject({ rejected: 0 })
      line.mend()
      await eventually(() => expect(away.comings.connected).toBeGreaterThan(comings), PATIENCE)
      await eventually(() =>
        expect(away.told.get(stream)?.findLast(({ kind }) => kind === 'subscribed')).toMatchObject({ recovered }),
      )
    }
    await jump(2, false)
    await jump(-2, true)
    expect(away.comings).toMatchObject({ resumed: 2, begunAnew: 0 })
    expect(connected()).toEqual(before)
    await expectPromiseHeld(api, subscribers, stream)
  }, 60_000)
})
