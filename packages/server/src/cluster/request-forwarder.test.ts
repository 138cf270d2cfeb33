import type { NodeBus } from '@fusewire/engine'
import { FusewireError, PATHS } from '@fusewire/protocol'
import { eventually, Random } from '@fusewire/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HTTP_VERSIONS, HttpHarness, type TestExchange } from '../transports/testing/http-harness.ts'
import { createTestContext, type TestContext } from '../transports/testing/test-context.ts'
import { decodeBusMessage } from './bus-message.ts'
import { RequestForwarder } from './request-forwarder.ts'
import { delivered, TestCluster, type TestNode } from './testing/test-cluster.ts'

const POLL_TIMEOUT_MS = 25_000

interface Node extends TestNode {
  readonly context: TestContext
  readonly harness: HttpHarness
  /** Messages that are to be lost on their way from this node. */
  loses: (type: string, name: string | undefined) => boolean
}

const echo = (data: unknown): string => JSON.stringify({ type: 'echo', data })

describe.each(HTTP_VERSIONS)('requests that reach another node over %s', (version) => {
  let nodes: TestCluster
  let started: Node[]
  let now: number
  /** Has the connection; the others are where its requests come in. */
  let owner: Node
  let entrance: Node
  let third: Node

  const start = async (id: string, limits = {}): Promise<Node> => {
    const bus = nodes.bus.node()
    const lossy: NodeBus = {
      start: (node, listener) => bus.start(node, listener),
      send: (payload, to) => {
        const message = decodeBusMessage(payload)
        if (typeof message === 'string') throw new Error(message)
        const lost = node?.loses(message.type, 'name' in message ? message.name : undefined)
        return lost ? undefined : bus.send(payload, to)
      },
      close: () => bus.close(),
    }
    let node: Node | undefined
    const member = await nodes.node(id, { bus: lossy })
    const context = createTestContext(limits)
    const others = new RequestForwarder(member.cluster, { pollTimeoutMs: POLL_TIMEOUT_MS })
    const harness = await HttpHarness.start(version, context, {
      node: id,
      others,
      pollTimeoutMs: POLL_TIMEOUT_MS,
      now: () => now,
    })
    others.serve(harness.transports.owner)
    node = Object.assign(member, { context, harness, loses: () => false })
    started.push(node)
    return node
  }

  beforeEach(async () => {
    now = 100_000
    nodes = new TestCluster()
    started = []
    owner = await start('owner', { maxBufferedBytes: 33_554_432 })
    entrance = await start('entrance')
    third = await start('third')
  })
  afterEach(() => Promise.all(started.map(({ harness }) => harness.close())))

  const peer = () => {
    const [first] = owner.context.engine.peers
    if (!first) throw new Error('nobody is connected')
    return first
  }
  const answered = (exchange: TestExchange) => eventually(() => expect(exchange.complete).toBe(true))
  const open = async (path: string): Promise<{ exchange: TestExchange; connection: string }> => {
    const exchange = owner.harness.request(path === PATHS.sse ? 'GET' : 'POST', path, path === PATHS.sse ? {} : { body: '' })
    await eventually(() => expect(exchange.text).toContain('"open"'))
    const [, connection = ''] = /"connection":"([^"]+)"/u.exec(exchange.text) ?? []
    expect(connection).toMatch(/^owner\.[\w-]{24}$/u)
    return { exchange, connection }
  }
  const send = async (node: Node, connection: string, seq: number, body: string): Promise<TestExchange> => {
    const exchange = node.harness.request('POST', `${PATHS.send}?connection=${connection}&seq=${seq}`, { body })
    await answered(exchange)
    return exchange
  }
  const poll = (node: Node, connection: string): TestExchange =>
    node.harness.request('POST', `${PATHS.poll}?connection=${connection}`, { body: '' })
  const waiting = async (node: Node, connection: string): Promise<TestExchange> => {
    const { signs } = peer()
    const exchange = poll(node, connection)
    await eventually(() => expect(peer().signs).toBe(signs + 1))
    return exchange
  }
  const pass = (ms: number): void => {
    now += ms
    for (const { harness } of started) harness.transports.tick(now)
  }
  const messagesOf = async (exchange: TestExchange): Promise<unknown[]> => {
    await answered(exchange)
    return exchange.messages.map((message) => message.id ?? message.data)
  }
  const codeOf = ({ json }: TestExchange): string => (json as { error: { code: string } }).error.code

  it.each([PATHS.sse, PATHS.stream, PATHS.poll])('[T2] are taken by the node that has the connection: %s', async (path) => {
    const { exchange, connection } = await open(path)
    const transport = path.split('/').at(-1) as 'sse' | 'stream' | 'poll'
    const bytesBefore = owner.context.traffic[transport].bytesIn
    expect(await send(entrance, connection, 1, `${echo(1)}\n${echo(2)}`)).toMatchObject({ status: 202, text: '' })
    expect(await send(third, connection, 2, echo(3))).toMatchObject({ status: 202 })
    expect(peer().received).toEqual([1, 2, 3].map((data) => ({ type: 'echo', data })))
    if (path !== PATHS.poll) await eventually(() => expect(exchange.text).toContain(echo(3)))
    // Each is counted once: by the node that has the connection.
    expect(owner.context.traffic[transport].bytesIn - bytesBefore).toBe(3 * echo(1).length + 1)
    for (const { context } of [entrance, third]) expect(context.traffic[transport].bytesIn).toBe(0)
    expect(owner.harness.transports.takenFromOthers).toEqual({ sse: 0, stream: 0, poll: 0, [transport]: 2 })
    expect(entrance.cluster.stats.forwarded).toEqual({ answered: 1, refused: 0, failed: 0 })
  })

  it('[T2] are put into the order of their numbers, through whichever nodes they come', async () => {
    const { connection } = await open(PATHS.sse)
    const random = new Random(7)
    const numbers = Array.from({ length: 30 }, (_, index) => index + 1)
    const order = numbers.toSorted(() => random.next() - 0.5)
    await Promise.all(
      order.map(async (seq) => {
        const node = started[random.integer(0, started.length - 1)] as Node
        // Some of them twice, as a client does that has had no answer.
        for (let n = 0; n <= seq % 2; n++) expect((await send(node, connection, seq, echo(seq))).status).toBe(202)
      }),
    )
    expect(peer().received).toEqual(numbers.map((data) => ({ type: 'echo', data })))
  })

  it('are refused as the owner would', async () => {
    const { connection } = await open(PATHS.sse)
    const far = await send(entrance, connection, 100, echo(1))
    expect([far.status, codeOf(far)]).toEqual([409, 'out_of_sequence'])
    const unknown = await send(entrance, `${connection.slice(0, -3)}xyz`, 1, echo(1))
    expect([unknown.status, codeOf(unknown)]).toEqual([404, 'unknown_connection'])
    const large = await send(entrance, connection, 1, 'x'.repeat(1_048_577))
    expect([large.status, codeOf(large)]).toEqual([413, 'message_too_large'])
    const bad = await send(entrance, connection, 1, 'no json')
    expect(bad.status).toBe(202)
    expect(peer().rejected).toHaveLength(1)
    expect(entrance.cluster.stats.forwarded).toEqual({ answered: 1, refused: 2, failed: 0 })
  })

  it('are refused by the entrance where its own rules say so', async () => {
    const { connection } = await open(PATHS.sse)
    const headers = { origin: 'https://evil.example' }
    const exchange = entrance.harness.request('POST', `${PATHS.send}?connection=${connection}&seq=1`, { headers, body: echo(1) })
    await answered(exchange)
    expect([exchange.status, codeOf(exchange)]).toEqual([403, 'origin_not_allowed'])
    expect(peer().received).toEqual([])
  })

  it.each(['stranger', '*', '>', '../owner', 'OWNER', 'a'.repeat(64)])(
    'go nowhere for a node that is not known: %s',
    async (node) => {
      const forged = encodeURIComponent(`${node}.${'x'.repeat(24)}`)
      const sent = entrance.cluster.stats.sent
      const unsure = await send(entrance, forged, 1, echo(1))
      expect([unsure.status, codeOf(unsure), unsure.headers['retry-after']]).toEqual([503, 'broker_unavailable', '1'])
      await nodes.pass(6000)
      const tellsOfItself = entrance.cluster.stats.sent
      for (const exchange of [await send(entrance, forged, 1, echo(1)), poll(entrance, forged)]) {
        await answered(exchange)
        expect([exchange.status, codeOf(exchange)]).toEqual([404, 'unknown_connection'])
      }
      expect(entrance.cluster.stats.sent).toBe(tellsOfItself)
      expect(tellsOfItself - sent).toBeLessThan(6)
    },
  )

  it('get an answer at once when the owner has gone, and a retryable one when it is silent', async () => {
    const { connection } = await open(PATHS.sse)
    owner.isCutOff = true
    const { sent } = entrance.cluster.stats
    const silent = send(entrance, connection, 1, echo(1))
    await eventually(() => expect(entrance.cluster.stats.sent).toBe(sent + 1))
    await nodes.pass(5000, [entrance, third])
    const late = await silent
    expect([late.status, codeOf(late)]).toEqual([504, 'timeout'])

    const asked = entrance.cluster.stats.sent
    const waitingAtTheEnd = send(entrance, connection, 1, echo(1))
    await eventually(() => expect(entrance.cluster.stats.sent).toBe(asked + 1))
    // Ten seconds of silence come before its own five are over.
    nodes.leap(1000)
    await nodes.pass(4500, [entrance, third])
    expect(entrance.cluster.whereabouts('owner')).toBe('gone')
    const left = await waitingAtTheEnd
    expect([left.status, codeOf(left)]).toEqual([404, 'unknown_connection'])
    const gone = await send(entrance, connection, 1, echo(1))
    expect([gone.status, codeOf(gone)]).toEqual([404, 'unknown_connection'])
  })

  it('get an answer when the owner says goodbye while they wait', async () => {
    const { connection } = await open(PATHS.poll)
    const exchange = await waiting(entrance, connection)
    await owner.cluster.close()
    await answered(exchange)
    expect([exchange.status, codeOf(exchange)]).toEqual([404, 'unknown_connection'])
  })

  it('[T9] wait for messages, and get all of one turn, however much it is', async () => {
    const { connection } = await open(PATHS.poll)
    const exchange = await waiting(entrance, connection)
    peer().send({ type: 'pong', id: 1 })
    peer().send({ type: 'pong', id: 2 })
    expect(await messagesOf(exchange)).toEqual([1, 2])
    expect(exchange.headers).toMatchObject({ 'content-type': 'application/x-ndjson; charset=utf-8', 'cache-control': 'no-store' })

    const large = 'x'.repeat(900_000)
    const next = await waiting(third, connection)
    peer().send({ type: 'echo', data: large })
    expect(await messagesOf(next)).toEqual([large])
    // Through the owner itself it goes on as well.
    const own = await waiting(owner, connection)
    peer().send({ type: 'pong', id: 3 })
    expect(await messagesOf(own)).toEqual([3])
    expect(peer().ends).toBe(0)
  })

  it('[T9] lose nothing and keep the order, one node after the other', async () => {
    const { connection } = await open(PATHS.poll)
    const random = new Random(3)
    const got: unknown[] = []
    for (let n = 1; n <= 60; n++) {
      peer().send({ type: 'pong', id: n })
      if (random.next() < 0.4) await delivered()
      if (random.next() < 0.6) got.push(...(await messagesOf(poll(started[n % 3] as Node, connection))))
    }
    while (got.length < 60) got.push(...(await messagesOf(poll(entrance, connection))))
    expect(got).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
    expect(peer().ends).toBe(0)
  })

  it('[T9] are answered empty when their time is over, and when a newer poll has come through another node', async () => {
    const { connection } = await open(PATHS.poll)
    const older = await waiting(entrance, connection)
    const newer = await waiting(third, connection)
    expect(await messagesOf(older)).toEqual([])
    pass(POLL_TIMEOUT_MS)
    expect(await messagesOf(newer)).toEqual([])
    expect([older.status, newer.status]).toEqual([200, 200])
    const next = await waiting(entrance, connection)
    peer().send({ type: 'pong', id: 1 })
    expect(await messagesOf(next)).toEqual([1])
  })

  it('leave the message to the next poll when the client has gone away before it', async () => {
    const { connection } = await open(PATHS.poll)
    const exchange = entrance.harness.request('POST', `${PATHS.poll}?connection=${connection}`, { body: '', alone: true })
    await eventually(() => expect(peer().signs).toBe(1))
    const heard = owner.cluster.stats.received
    exchange.abort()
    // The owner is told.
    await eventually(() => expect(owner.cluster.stats.received).toBe(heard + 1))
    await delivered()
    peer().send({ type: 'pong', id: 1 })
    await delivered()
    expect(await messagesOf(poll(third, connection))).toEqual([1])
    expect(peer().ends).toBe(0)
    expect(entrance.context.traffic.poll.refused).toBe(0)
    expect(entrance.cluster.stats.forwarded).toEqual({ answered: 0, refused: 0, failed: 0 })
  })

  it('[T10] end the connection when the answer is lost between the nodes, and give nobody what follows', async () => {
    const { connection } = await open(PATHS.poll)
    const exchange = await waiting(entrance, connection)
    owner.loses = (type) => type === 'answer'
    peer().send({ type: 'pong', id: 1 })
    await delivered()
    peer().send({ type: 'pong', id: 2 })
    owner.loses = () => false
    // Another poll must not get the second without the first.
    const next = poll(third, connection)
    await nodes.pass(POLL_TIMEOUT_MS + 5000)
    await answered(exchange)
    expect([exchange.status, codeOf(exchange)]).toEqual([504, 'timeout'])
    expect(await messagesOf(next)).toEqual([])
    await eventually(() => expect(peer().ends).toBe(1))
    const late = poll(third, connection)
    await answered(late)
    expect([late.status, codeOf(late)]).toEqual([404, 'unknown_connection'])
  })

  it('[T10] end the connection when nobody says that the answer has arrived', async () => {
    const { connection } = await open(PATHS.poll)
    const exchange = await waiting(entrance, connection)
    entrance.loses = (_type, name) => name === 'poll_end'
    peer().send({ type: 'pong', id: 1 })
    expect(await messagesOf(exchange)).toEqual([1])
    const next = poll(third, connection)
    await eventually(() => expect(peer().signs).toBe(1))
    for (let n = 0; n < 31; n++) pass(1000)
    expect(await messagesOf(next)).toEqual([])
    await eventually(() => expect(peer().ends).toBe(1))
  })

  it('[T10] end the connection when the entrance dies with the answer', async () => {
    const { connection } = await open(PATHS.poll)
    await waiting(entrance, connection)
    entrance.isCutOff = true
    peer().send({ type: 'pong', id: 1 })
    await nodes.pass(12_000, [owner, third])
    await eventually(() => expect(peer().ends).toBe(1))
  })

  it('[T10] end the connection when the client goes away from the answer', async () => {
    const { connection } = await open(PATHS.poll)
    const exchange = entrance.harness.request('POST', `${PATHS.poll}?connection=${connection}`, { body: '', alone: true })
    await eventually(() => expect(peer().signs).toBe(1))
    exchange.pause()
    peer().send({ type: 'echo', data: 'x'.repeat(16_000_000) })
    await eventually(() => expect(exchange.status).toBe(200))
    exchange.abort()
    await eventually(() => expect(peer().ends).toBe(1))
  })

  it('tell the client why the owner ends', async () => {
    const { connection } = await open(PATHS.poll)
    owner.harness.transports.close()
    const exchange = poll(entrance, connection)
    await answered(exchange)
    expect(exchange.status).toBe(503)
    expect(codeOf(exchange)).toBe('server_draining')
  })

  it('do nothing where a member of the cluster asks for nonsense', async () => {
    const { connection } = await open(PATHS.poll)
    const ask = (name: string, data: unknown) => entrance.cluster.ask('owner', name, data, { timeoutMs: 1000 })
    for (const [name, data] of [
      ['send', { connection, seq: 0, body: new Uint8Array() }],
      ['send', { connection, seq: 1, body: 'text' }],
      ['send', { connection: 7, seq: 1, body: new Uint8Array() }],
      ['send', null],
      ['poll', { connection }],
      ['poll', { connection, poll: '' }],
      ['poll', [connection]],
    ] as const)
      await expect(ask(name, data)).rejects.toMatchObject({ code: 'invalid_field' })
    const huge = { connection, seq: 1, body: new Uint8Array(1_048_577) }
    await expect(ask('send', huge)).rejects.toBeInstanceOf(FusewireError)
    entrance.cluster.notify('owner', 'poll_end', { poll: 1 })
    entrance.cluster.notify('owner', 'poll_end', { poll: 'never', complete: true })
    await delivered()
    expect(await send(entrance, connection, 1, echo(1))).toMatchObject({ status: 202 })
    expect(peer().received).toEqual([{ type: 'echo', data: 1 }])
  })
})
