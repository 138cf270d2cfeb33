import { cpSync, rmSync } from 'node:fs'
import type { BrokerListener, Published, PublishOptions } from '@fusewire/engine'
import type { Publication } from '@fusewire/protocol'
import {
  describeWith,
  eventually,
  FaultProxy,
  type NatsClusterServers,
  type NatsServer,
  startNats,
  startNatsCluster,
} from '@fusewire/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { NatsBroker } from './nats-broker.ts'
import { unavailable } from './nats-error.ts'
import { NatsSession } from './nats-session.ts'
import { askJetStream } from './stream-api.ts'
import { BrokerNodes, type Node, type NodesOptions } from './testing/broker-nodes.ts'

const KEPT: PublishOptions = { historySize: 100_000, historyTtlMs: 600_000, historyBytes: 100_000_000 }
const STATE = { ttlMs: 60_000, maxDocumentBytes: 10_000 }

/** What a node was told of its channels. */
class Ears implements BrokerListener {
  readonly heard: Publication[] = []
  interruptions = 0

  publication(_: string, publication: Publication): void {
    this.heard.push(publication)
  }
  interrupted(): void {
    this.interruptions++
  }
  announcement(): void {}

  get offsets(): number[] {
    return this.heard.map(({ offset }) => offset)
  }
}

const upTo = (count: number): number[] => [...Array(count).keys()].map((index) => index + 1)

const publish = (broker: NatsBroker, data: unknown, options: Partial<PublishOptions> = {}): Promise<Published> =>
  broker.publish('a', { data }, { ...KEPT, ...options })

const outcomeOf = (publishing: Promise<unknown>): Promise<unknown> =>
  publishing.then(
    () => 'published',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  )

/** Publishes until told to stop, several at a time; gives what was acknowledged. */
const publishOn = (broker: NatsBroker): { stop: () => Promise<unknown[]> } => {
  const acknowledged: unknown[] = []
  let isStopped = false
  let serial = 0
  const lane = async (): Promise<void> => {
    while (!isStopped) {
      const data = ++serial
      await publish(broker, data, { idempotencyKey: `k${data}` }).then(
        () => acknowledged.push(data),
        () => new Promise((resolve) => setTimeout(resolve, 20)),
      )
    }
  }
  const lanes = [lane(), lane(), lane()]
  return {
    stop: async () => {
      isStopped = true
      await Promise.all(lanes)
      return acknowledged
    },
  }
}

let nodes: BrokerNodes
let ears: Ears

const start = async (urls: readonly string[], options?: NodesOptions): Promise<Node> => {
  nodes = new BrokerNodes(options)
  ears = new Ears()
  const node = nodes.make(urls)
  await node.broker.start(ears)
  return node
}

afterEach(() => nodes.close())

describeWith(['nats-server'], 'NatsBroker when its server fails', () => {
  let server: NatsServer
  let node: Node

  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    node = await start([server.url], { timeoutMs: 1_000 })
    await node.broker.subscribe('a')
  })

  it('loses nothing that was acknowledged to a kill, and goes on in the same epoch', async () => {
    const { broker, link } = node
    const publishing = publishOn(broker)
    await eventually(() => expect(ears.heard.length).toBeGreaterThan(50))
    await server.kill()
    await eventually(() => !link.isUp)
    expect(await outcomeOf(publish(broker, 'away'))).toBe('broker_unavailable')
    expect(link.problem()?.code).toBe('broker_unavailable')
    await server.restart()
    await eventually(() => link.isUp, { timeoutMs: 15_000 })
    await eventually(() => expect(ears.interruptions).toBeGreaterThan(0))
    const before = ears.heard.length
    await eventually(() => expect(ears.heard.length).toBeGreaterThan(before + 20))
    const acknowledged = await publishing.stop()
    const page = await broker.history('a', {})
    const kept = page.publications.map(({ data }) => data)
    expect(acknowledged.filter((one) => !kept.includes(one))).toEqual([])
    expect(new Set(kept).size).toBe(kept.length)
    expect(page.publications.map(({ offset }) => offset)).toEqual(upTo(page.position.offset))
    expect(new Set(ears.offsets).size).toBe(ears.heard.length)
    expect(ears.offsets).toEqual([...ears.offsets].sort((one, other) => one - other))
  })

  it('begins other epochs when everything is gone', async () => {
    const { broker, link } = node
    const { position } = await publish(broker, 1)
    await publish(broker, 2)
    await server.kill()
    await eventually(() => !link.isUp)
    const { interruptions } = ears
    await server.restart({ empty: true })
    await eventually(() => link.isUp, { timeoutMs: 15_000 })
    await eventually(() => expect(ears.interruptions).toBeGreaterThan(interruptions))
    const page = await broker.history('a', { since: position })
    expect(page.complete).toBe(false)
    expect(page.position.epoch).not.toBe(position.epoch)
    expect((await publish(broker, 3)).position).toEqual({ ...page.position, offset: 1 })
    await eventually(() => expect(ears.heard.at(-1)?.data).toBe(3))
  })

  it('begins other epochs when the end of the stream is gone, which clients have seen', async () => {
    const { broker, link } = node
    const { position } = await publish(broker, 1)
    const backup = `${server.folder}-backup`
    await server.kill()
    cpSync(server.folder, backup, { recursive: true })
    await server.restart()
    await eventually(() => link.isUp, { timeoutMs: 15_000 })
    await publish(broker, 2)
    const seen = await publish(broker, 3)
    expect(seen.position).toEqual({ ...position, offset: 3 })
    await server.kill()
    server.clear()
    cpSync(backup, server.folder, { recursive: true })
    rmSync(backup, { recursive: true })
    await server.restart()
    await eventually(() => link.isUp, { timeoutMs: 15_000 })
    const page = await broker.history('a', { since: seen.position })
    expect(page.complete).toBe(false)
    const next = await publish(broker, 4)
    expect(next.position).toEqual({ ...page.position, offset: 1 })
    expect(next.position.epoch).not.toBe(position.epoch)
  })

  it('finds out about a stream that was deleted, and begins other epochs', async () => {
    const { broker, link } = node
    const { position } = await publish(broker, 1)
    await link.session().request(`$JS.API.STREAM.DELETE.${nodes.prefix}`, new Uint8Array())
    const next = await publish(broker, 2)
    expect(next.position.offset).toBe(1)
    expect(next.position.epoch).not.toBe(position.epoch)
    expect(ears.interruptions).toBeGreaterThan(0)
  })

  it('asks again over a new connection while it has time, though an election swallows what was asked first', async () => {
    nodes.close()
    const { broker, link } = await start([server.url], { timeoutMs: 4_000 })
    await publish(broker, 1)
    const before = link.session()
    const { request } = NatsSession.prototype
    let swallowed = 0
    const spy = vi.spyOn(NatsSession.prototype, 'request').mockImplementation(function (this: NatsSession, subject, ...rest) {
      // One is asked as soon as there is a connection, the other by whoever publishes.
      const isSwallowed = subject.endsWith(`STREAM.INFO.${nodes.prefix}`) && ++swallowed <= 2
      if (isSwallowed) this.subscribe('silent', () => undefined)
      return request.call(this, isSwallowed ? 'silent' : subject, ...rest)
    })
    try {
      before.end(unavailable('the test has ended it'))
      await eventually(() => link.isUp && link.session() !== before, { timeoutMs: 15_000 })
      expect((await publish(broker, 2)).position.offset).toBe(2)
      expect(swallowed).toBeGreaterThan(2)
    } finally {
      spy.mockRestore()
    }
  })

  it('names what is wrong with a stream that has taken the place of its own while the connection was lost', async () => {
    const line = await FaultProxy.start(server.port)
    try {
      const { broker, link } = nodes.make([`nats://127.0.0.1:${line.port}`])
      await broker.start(new Ears())
      await publish(broker, 1)
      line.sever()
      await eventually(() => !link.isUp)
      const others = node.link.session()
      await askJetStream(others, `STREAM.DELETE.${nodes.prefix}`)
      await askJetStream(others, `STREAM.CREATE.${nodes.prefix}`, { name: nodes.prefix, subjects: [`${nodes.prefix}.c.*`] })
      line.mend()
      await eventually(() => link.isUp, { timeoutMs: 15_000 })
      await expect(publish(broker, 2)).rejects.toThrow('none of ours')
      await expect(broker.askLeader()).rejects.toThrow('none of ours')
      await askJetStream(others, `STREAM.DELETE.${nodes.prefix}`)
      expect((await publish(broker, 3)).position.offset).toBe(1)
    } finally {
      await line.close()
    }
  })

  it('refuses within its timeout what a server does not answer that stands still, and sends nothing of it later', async () => {
    const { broker, link } = node
    await publish(broker, 1)
    server.suspend()
    try {
      await eventually(async () => expect(await outcomeOf(publish(broker, 'lost'))).toBe('broker_unavailable'))
      await eventually(() => !link.isUp)
      const began = performance.now()
      expect(await outcomeOf(publish(broker, 'late'))).toBe('broker_unavailable')
      expect(await outcomeOf(broker.history('a', {}))).toBe('broker_unavailable')
      // Neither of the two waits for its timeout.
      expect(performance.now() - began).toBeLessThan(1000)
    } finally {
      server.wake()
    }
    await eventually(() => link.isUp, { timeoutMs: 15_000 })
    await publish(broker, 2)
    const { publications } = await broker.history('a', {})
    const data = publications.map((publication) => publication.data)
    expect(data).not.toContain('late')
    expect(data.at(-1)).toBe(2)
  })

  it('publishes once what is answered too late, and sends it again meanwhile', async () => {
    const line = await FaultProxy.start(server.port)
    try {
      const slow = nodes.make([`nats://127.0.0.1:${line.port}`])
      const others = new Ears()
      await slow.broker.start(others)
      await slow.broker.subscribe('a')
      await publish(slow.broker, 1)
      for (const round of [1, 2, 3]) {
        line.inject({ kind: 'stall', direction: 'down', forMs: 700 })
        const late = publish(slow.broker, `late ${round}`)
        // Others come in between, so that it is not the newest.
        await eventually(async () => expect((await node.broker.history('a', {})).publications.at(-1)?.data).toBe(`late ${round}`))
        await publish(node.broker, `between ${round}`)
        await late
      }
      const { publications } = await node.broker.history('a', {})
      const data = [1, ...[1, 2, 3].flatMap((round) => [`late ${round}`, `between ${round}`])]
      expect(publications.map((publication) => publication.data)).toEqual(data)
      await eventually(() => expect(others.heard.map((publication) => publication.data)).toEqual(data))
    } finally {
      await line.close()
    }
  })

  it('ends a document whose time is over, though nobody touches the channel, and all nodes are told', async () => {
    const { broker } = node
    const other = nodes.make([server.url])
    const others = new Ears()
    await other.broker.start(others)
    await other.broker.subscribe('a')
    await publish(broker, { a: 1 }, { state: STATE })
    await eventually(() => expect(others.offsets).toEqual([1]))
    nodes.pass(STATE.ttlMs + 1)
    await eventually(() => expect([ears.interruptions, others.interruptions].every((count) => count > 0)).toBe(true))
    const [one, two] = await Promise.all([broker.state('a'), other.broker.state('a')])
    expect(one.position).toEqual(two.position)
    expect(one).toEqual({ position: { epoch: expect.any(String), offset: 0 } })
  })

  it('reads and patches documents after any number of patches, on a node that knows nothing of them', async () => {
    const { broker } = node
    for (let n = 0; n < 60; n++) await broker.publish('a', { data: { [`n${n % 7}`]: n }, patch: true }, { ...KEPT, state: STATE })
    const other = nodes.make([server.url])
    await other.broker.start(new Ears())
    await other.broker.publish('a', { data: { last: true }, patch: true }, { ...KEPT, state: STATE })
    const expected = { n0: 56, n1: 57, n2: 58, n3: 59, n4: 53, n5: 54, n6: 55, last: true }
    expect((await broker.state('a')).document).toEqual(expected)
    expect((await other.broker.state('a')).document).toEqual(expected)
  })

  it('knows keys that were used on another node, many publications ago', async () => {
    const { broker } = node
    const first = await publish(broker, 0, { idempotencyKey: 'k0', historySize: 1 })
    for (let n = 1; n < 70; n++) await publish(broker, n, { historySize: 1, ...(n % 2 === 0 && { idempotencyKey: `k${n}` }) })
    const other = nodes.make([server.url])
    await other.broker.start(new Ears())
    expect(await publish(other.broker, 'again', { idempotencyKey: 'k0' })).toEqual({ ...first, duplicate: true })
  })

  it('keeps of a channel what its history, document and keys need, and not much more', async () => {
    const { broker, link } = node
    const information = async (): Promise<{ messages: number; limit: number }> => {
      const { data } = await link.session().request(`$JS.API.STREAM.INFO.${nodes.prefix}`, new Uint8Array())
      const { state, config } = JSON.parse(new TextDecoder().decode(data)) as {
        state: { messages: number }
        config: { max_msgs_per_subject: number }
      }
      return { messages: state.messages, limit: config.max_msgs_per_subject }
    }
    const options = { ...KEPT, historySize: 3, state: STATE }
    for (let n = 1; n <= 2_500; n++) await broker.publish('a', { data: { [`n${n % 9}`]: n }, patch: true }, options)
    const { messages, limit } = await information()
    expect(limit).toBe(2_000)
    expect(messages).toBe(2_000)
    expect((await broker.history('a', {})).publications.map(({ offset }) => offset)).toEqual([2_498, 2_499, 2_500])
    const other = nodes.make([server.url])
    await other.broker.start(new Ears())
    expect((await other.broker.state('a')).document).toEqual((await broker.state('a')).document)
    const first = await publish(other.broker, 0, { idempotencyKey: 'k0', historySize: 1 })
    for (let n = 1; n <= 2_500; n++) await publish(other.broker, n, { idempotencyKey: `k${n}`, historySize: 1 })
    expect(await publish(broker, 0, { idempotencyKey: 'k0', historySize: 1 })).toEqual({ ...first, duplicate: true })
    expect((await information()).limit).toBeGreaterThan(5_000)
  })
})

describeWith(['nats-server'], 'NatsBroker on three servers', () => {
  let cluster: NatsClusterServers

  beforeAll(async () => {
    cluster = await startNatsCluster()
  }, 60_000)
  afterAll(() => cluster.stop())

  describe('of which one fails while it publishes', () => {
    // Before nats-server 2.9.21, servers that have stood still may number a stream differently (nats-server#4365).
    const faults = [
      { how: 'killed', retry: 0 },
      { how: 'standing still', retry: 2 },
    ] as const
    for (const { how, retry } of faults)
      it(`by being ${how}: nothing is lost or twice`, { timeout: 90_000, retry }, async () => {
        const { broker } = await start(cluster.urls, { replicas: 3, timeoutMs: 2_000 })
        await broker.subscribe('a')
        const publishing = publishOn(broker)
        await eventually(() => expect(ears.heard.length).toBeGreaterThan(30))
        for (const [index, server] of cluster.servers.entries()) {
          if (how === 'killed') await cluster.kill(index)
          else server.suspend()
          const before = ears.heard.length
          await eventually(() => expect(ears.heard.length).toBeGreaterThan(before + 10), { timeoutMs: 20_000 })
          if (how === 'killed') await cluster.restart(index)
          else server.wake()
          await cluster.untilHealthy()
          if (index === 1) break
        }
        const acknowledged = await publishing.stop()
        const { publications, position } = await broker.history('a', {})
        const kept = publications.map(({ data }) => data)
        expect(acknowledged.filter((one) => !kept.includes(one))).toEqual([])
        expect(new Set(kept).size).toBe(kept.length)
        expect(publications.map(({ offset }) => offset)).toEqual(upTo(position.offset))
        expect(ears.offsets).toEqual([...new Set(ears.offsets)].sort((one, other) => one - other))
      })
  })
})
