import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PATHS } from '@fusewire/protocol'
import type { FusewireInput } from '@fusewire/server'
import { describeWith, eventually, Random, startNats, startRedis } from '@fusewire/testkit'
import { request } from 'undici'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Api } from './api.ts'
import { judge } from './faults/judge.ts'
import { SdkSubscriber } from './faults/sdk-subscriber.ts'
import { createStreams, RULES, type Stream } from './faults/stream.ts'
import { untilAllAreAt } from './faults/until-all-are-at.ts'
import { runFusewire } from './fusewire-command.ts'
import { FusewireProcess } from './fusewire-process.ts'
import { sdkClient } from './sdk-client.ts'
import { SpreadingProxy } from './wire/spreading-proxy.ts'

interface Info {
  readonly node: string
  readonly state: string
  readonly sessions: number
  readonly nodes: readonly { readonly node: string; readonly connections: number; readonly sessions: number }[]
}

let broker: string
const start = async (options: FusewireInput = {}): Promise<FusewireProcess> => {
  const node = await FusewireProcess.start({ development: true, broker: [broker], rules: RULES, ...options })
  onTestFinished(() => node[Symbol.asyncDispose]())
  return node
}

/** Nodes that know one another. */
const startNodes = async (count: number, options?: FusewireInput): Promise<FusewireProcess[]> => {
  const nodes: FusewireProcess[] = []
  for (let n = 0; n < count; n++) nodes.push(await start(options))
  await untilKnown(nodes)
  return nodes
}

const infoOf = async ({ http }: FusewireProcess): Promise<Info> => (await new Api(http).info()) as unknown as Info

const untilKnown = (nodes: readonly FusewireProcess[]): Promise<void> =>
  eventually(
    async () => {
      for (const node of nodes) expect((await infoOf(node)).nodes).toHaveLength(nodes.length)
    },
    { timeoutMs: 15_000 },
  )

const BROKERS = [
  ['Redis', 'redis-server', startRedis],
  ['NATS', 'nats-server', startNats],
] as const

for (const [name, program, startBroker] of BROKERS)
  describeWith([program], `several nodes over ${name}`, () => {
    beforeEach(async () => {
      const server = await startBroker()
      onTestFinished(() => server[Symbol.asyncDispose]())
      broker = server.url
    })

    it('serve clients whose requests a load balancer spreads over them, and one is killed, one leaves', {
      timeout: 120_000,
    }, async () => {
      const nodes = await startNodes(3, { drainWindowMs: 500, drainTimeoutMs: 5000 })
      const random = new Random(11)
      await using proxy = await SpreadingProxy.start(
        nodes.map(({ http }) => http),
        random,
      )
      const streams = createStreams('spread').slice(0, 2) as [Stream, Stream]
      const subscribers = (['sse', 'stream', 'poll'] as const).flatMap((transport) =>
        Array.from({ length: 4 }, () => new SdkSubscriber(proxy.url, streams, { transport, encoding: 'json' })),
      )
      onTestFinished(async () => {
        await Promise.all(subscribers.map((subscriber) => subscriber.close()))
      })
      const everyoneIsAt = (place: (stream: Stream) => number): Promise<void> =>
        untilAllAreAt(subscribers, streams, place, 40_000)
      await everyoneIsAt(() => 0)

      const api = new Api(proxy.url)
      let isStopped = false
      const publishing = Promise.all(
        streams.map(async ({ name, journal }, index) => {
          for (let n = 1; !isStopped; n++) {
            const data = { n }
            journal.begin(data)
            // By turns the backend and the clients: what they send goes through any node as well.
            const client = n % 2 === 0 ? subscribers[(n + index) % subscribers.length] : undefined
            const key = randomUUID()
            const stream = streams[index] as Stream
            const place = client
              ? await client.publish(stream, data).catch(() => undefined)
              : (await eventually(() => api.publish(name, data, { key }), { timeoutMs: 20_000 })).position
            if (place) journal.acknowledge(place, data)
            await delay(10)
          }
        }),
      )
      await eventually(() => expect(streams[0].journal.acknowledged).toBeGreaterThan(50), { timeoutMs: 20_000 })

      const [killed, leaving, staying] = nodes as [FusewireProcess, FusewireProcess, FusewireProcess]
      killed.signal('SIGKILL')
      const replacement = await start()
      proxy.nodes = [leaving, staying, replacement].map(({ http }) => http)
      await everyoneIsAt(({ journal }) => journal.last)
      await eventually(async () => expect((await infoOf(staying)).nodes).toHaveLength(3), { timeoutMs: 20_000 })

      // The one that leaves is asked through another.
      await new Api(staying.http).post('drain', { node: (await infoOf(leaving)).node })
      await eventually(() => expect(leaving.isRunning).toBe(false), { timeoutMs: 15_000 })
      proxy.nodes = [staying, replacement].map(({ http }) => http)
      await eventually(async () => expect((await infoOf(staying)).nodes).toHaveLength(2))
      await everyoneIsAt(({ journal }) => journal.last)
      isStopped = true
      await publishing
      await everyoneIsAt(({ journal }) => journal.last)

      for (const subscriber of subscribers) {
        expect(subscriber.problems).toEqual([])
        for (const stream of streams) {
          const verdict = judge(subscriber.told.get(stream) ?? [], stream.journal, stream.promised)
          expect(verdict.violations.map(({ message }) => message)).toEqual([])
          expect(verdict.lost).toBe(0)
        }
      }
      // Which of them has how many of the connections is chance.
      const sum = async (metric: string, labels: Record<string, string>): Promise<number> => {
        const counts = await Promise.all([staying, replacement].map(({ http }) => new Api(http).metric(metric, labels)))
        return counts.reduce((total, count) => total + count)
      }
      expect(await sum('fusewire_requests_forwarded_total', { outcome: 'answered' })).toBeGreaterThan(50)
      for (const transport of ['sse', 'stream', 'poll'])
        expect(await sum('fusewire_requests_taken_total', { transport }), transport).toBeGreaterThan(0)
      expect(staying.log).toContain('"node_left"')
    })

    it('act together, whichever is asked', async () => {
      const [one, two] = (await startNodes(2)) as [FusewireProcess, FusewireProcess]
      const folder = mkdtempSync(join(tmpdir(), 'fusewire-e2e-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const run = (at: FusewireProcess, ...args: string[]) => runFusewire([...args, '--url', at.http], { folder })
      const client = sdkClient(two.http)
      onTestFinished(() => client.close())
      const ended: string[] = []
      client.on('error', ({ code }) => ended.push(code))
      const channel = client.channel('long:room')
      const left: (string | undefined)[] = []
      channel.on('unsubscribed', ({ code }) => left.push(code))
      await channel.subscribe()
      const { session = '' } = client.connection

      expect(JSON.parse((await run(one, 'info')).out).nodes.map(({ node }: Info) => node)).toEqual([
        (await infoOf(one)).node,
        (await infoOf(two)).node,
      ])
      expect(await new Api(one.http).post('subscribe', { session, channel: 'busy:room' })).toEqual({ sessions: 1 })
      await eventually(async () => {
        const response = await fetch(`${one.http}/v1/channels`)
        expect(((await response.json()) as { channels: unknown[] }).channels).toEqual([
          { channel: 'long:room', subscribers: 1 },
          { channel: 'busy:room', subscribers: 1 },
        ])
      })
      expect(await run(one, 'unsubscribe', 'long:room', '--session', session)).toMatchObject({
        code: 0,
        out: '{"sessions":1}\n',
        err: '',
      })
      await eventually(() => expect(left).toHaveLength(1))

      expect(await run(one, 'drain', '--session', session)).toMatchObject({ code: 0, out: '{"sessions":1}\n' })
      await eventually(() => expect(client.connection.status).toBe('connected'))
      expect(await run(one, 'disconnect', '--session', session)).toMatchObject({ code: 0, out: '{"sessions":1}\n' })
      await eventually(() => expect(ended).toContain('disconnected'))

      // One that stands still is named, and the answer does not wait for it for long.
      two.signal('SIGSTOP')
      const stranger = await run(one, 'disconnect', '--user', 'nobody')
      two.signal('SIGCONT')
      const { node } = await infoOf(two)
      expect(stranger).toMatchObject({ code: 0, err: expect.stringContaining(`No answer from ${node}`) })
      expect(JSON.parse(stranger.out)).toEqual({ sessions: 0, unreachable: [node] })

      const drained = await run(one, 'drain', '--node', node)
      expect(drained).toMatchObject({ code: 0, out: expect.stringContaining('"drained"') })
      await eventually(() => expect(two.isRunning).toBe(false))
      expect(await run(one, 'drain', '--node', node)).toMatchObject({ code: 1, err: expect.stringContaining('not_found') })
    }, 120_000)
  })

describeWith(['redis-server'], 'several nodes whose broker goes away', () => {
  it('take nobody for gone, refuse what they cannot hand on, and go on by themselves', { timeout: 90_000 }, async () => {
    const redis = await startRedis()
    onTestFinished(() => redis[Symbol.asyncDispose]())
    broker = redis.url
    const [owner, entrance] = (await startNodes(2)) as [FusewireProcess, FusewireProcess]
    const opened = await request(owner.http + PATHS.poll, { method: 'POST', body: '' })
    const { connection } = JSON.parse((await opened.body.text()).split('\n')[0] ?? '') as { connection: string }
    // The connection lives by it; each is answered when there is something, or after a while.
    let isOver = false
    onTestFinished(() => {
      isOver = true
    })
    const polling = (async () => {
      while (!isOver) await (await request(`${owner.http}${PATHS.poll}?connection=${connection}`, { method: 'POST' })).body.dump()
    })().catch(() => undefined)
    const send = async (seq: number) => {
      const url = `${entrance.http}${PATHS.send}?connection=${connection}&seq=${seq}`
      const { statusCode, headers, body } = await request(url, { method: 'POST', body: '{"type":"ping"}' })
      return { statusCode, retryAfter: headers['retry-after'], text: await body.text() }
    }
    expect(await send(1)).toMatchObject({ statusCode: 202 })

    await redis.kill()
    await eventually(async () => expect(await send(2)).toMatchObject({ statusCode: 503 }), { timeoutMs: 20_000, intervalMs: 100 })
    expect(await send(2)).toMatchObject({ retryAfter: '1', text: expect.stringContaining('broker_unavailable') })
    // Longer than the silence of a node that is gone.
    await delay(11_000)
    expect((await infoOf(entrance)).nodes).toHaveLength(2)
    const commanded = await new Api(entrance.http).post('disconnect', { user: 'nobody' })
    const { node } = await infoOf(owner)
    expect(commanded).toEqual({ sessions: 0, unreachable: [node] })
    const drained = await request(`${entrance.http}/v1/drain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ node }),
    })
    expect(drained.statusCode).toBe(503)
    expect(await drained.body.text()).toContain('broker_unavailable')

    await redis.restart()
    await eventually(async () => expect(await send(2)).toMatchObject({ statusCode: 202 }), { timeoutMs: 20_000, intervalMs: 100 })
    expect(await new Api(entrance.http).post('disconnect', { user: 'nobody' })).toEqual({ sessions: 0 })
    for (const { log } of [owner, entrance]) expect(log).not.toContain('"node_left"')
    await owner.stop()
    await polling
  })
})

describe('workers of one server', () => {
  it('take requests of each other, whichever the system chooses for a connection', { timeout: 60_000 }, async () => {
    const server = await FusewireProcess.start({ development: true, workers: 3, maxMessageBytes: 1_000_000 })
    onTestFinished(() => server[Symbol.asyncDispose]())
    const api = new Api(server.http)
    await eventually(async () => expect((await api.info()).nodes).toHaveLength(3), { timeoutMs: 20_000 })
    expect(((await api.info()).nodes as { worker: number }[]).map(({ worker }) => worker).sort()).toEqual([1, 2, 3])

    // Each on a connection of its own.
    const post = async (path: string, body: string): Promise<string> => {
      const { statusCode, body: answer } = await request(server.http + path, { method: 'POST', body, reset: true })
      const text = await answer.text()
      expect([200, 202], text).toContain(statusCode)
      return text
    }
    const messages: { type: string; connection?: string; data?: string }[] = []
    const read = (text: string): void => {
      for (const line of text.split('\n')) if (line !== '') messages.push(JSON.parse(line))
    }
    read(await post(PATHS.poll, ''))
    const connection = messages[0]?.connection
    const large = (n: number): string => `${n}:${'x'.repeat(n % 4 === 0 ? 700_000 : 10)}`
    const numbers = Array.from({ length: 24 }, (_, index) => index + 1)
    const polling = (async () => {
      while (messages.length <= numbers.length) read(await post(`${PATHS.poll}?connection=${connection}`, ''))
    })()
    for (const n of numbers)
      await post(`${PATHS.send}?connection=${connection}&seq=${n}`, JSON.stringify({ type: 'echo', data: large(n) }))
    await polling
    expect(messages.slice(1).map(({ data }) => data)).toEqual(numbers.map(large))
    const taken = ['1', '2', '3'].map((worker) => api.metric('fusewire_requests_taken_total', { transport: 'poll', worker }))
    // Two of three, as far as chance goes.
    expect((await Promise.all(taken)).reduce((sum, count) => sum + count)).toBeGreaterThan(5)
  })
})
