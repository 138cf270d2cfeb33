import { setTimeout as delay } from 'node:timers/promises'
import { mergePatch } from '@fusewire/protocol'
import { describeWith, eventually, type Fault, FaultProxy, type NatsServer, Random, startNats } from '@fusewire/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokerNodes, type Node } from './testing/broker-nodes.ts'
import { Judge } from './testing/judge.ts'

const NODES = 3
const LANES = 3
const ROUNDS = 12
const OPTIONS = { historySize: 100_000, historyTtlMs: 600_000, historyBytes: 100_000_000 }
const STATE = { ttlMs: 600_000, maxDocumentBytes: 100_000 }

describeWith(['nats-server'], 'NatsBroker on several nodes with bad lines', () => {
  let server: NatsServer

  beforeAll(async () => {
    server = await startNats()
  })
  afterAll(() => server.stop())

  it.each([1, 2, 3])('has every acknowledged patch once, in one order for all (seed %i)', { timeout: 60_000 }, async (seed) => {
    const random = new Random(seed)
    const nodes = new BrokerNodes({ timeoutMs: 1_000 })
    const judges: Judge[] = []
    const lines: FaultProxy[] = []
    const made: Node[] = []
    for (let index = 0; index < NODES; index++) {
      const line = await FaultProxy.start(server.port, random)
      const node = nodes.make([`nats://127.0.0.1:${line.port}`])
      const judge = new Judge()
      await node.broker.start(judge)
      await node.broker.subscribe('a')
      lines.push(line)
      made.push(node)
      judges.push(judge)
    }
    const acknowledged = new Map<string, number>()
    let isOver = false
    const publishing = made.flatMap(({ broker }, index) =>
      Array.from({ length: LANES }, async (_, lane) => {
        for (let n = 0; !isOver; n++) {
          const name = `${index}-${lane}-${n}`
          const keys = lane === 0 ? { idempotencyKey: name } : {}
          const publish = () => broker.publish('a', { data: { [name]: n }, patch: true }, { ...OPTIONS, ...keys, state: STATE })
          // Those with keys are tried until they are there, and must be there once.
          for (let isDone = false; !isDone; ) {
            await publish().then(
              ({ position }) => {
                acknowledged.set(name, position.offset)
                isDone = true
              },
              () => delay(20),
            )
            if (lane > 0) isDone = true
          }
          await delay(5)
        }
      }),
    )
    for (let round = 0; round < ROUNDS; round++) {
      const line = random.pick(lines)
      const forMs = random.integer(100, 1_000)
      line.inject(
        random.pick<Fault>([
          { kind: 'reset' },
          { kind: 'stall', direction: 'down', forMs },
          { kind: 'stall', direction: 'up', forMs },
          { kind: 'half-open', direction: 'both' },
        ]),
      )
      await delay(random.integer(0, 300))
    }
    isOver = true
    for (const line of lines) line.mend()
    await Promise.all(publishing)
    const reader = nodes.make([server.url])
    await reader.broker.start(new Judge())
    const { publications, position } = await reader.broker.history('a', {})
    const names = publications.map(({ data }) => Object.keys(data as object)[0] ?? '')
    expect(publications.map(({ offset }) => offset)).toEqual(names.map((_, index) => index + 1))
    for (const [name, offset] of acknowledged) expect(names[offset - 1]).toBe(name)
    expect(new Set(names).size).toBe(names.length)
    const { document } = await reader.broker.state('a')
    expect(document).toEqual(publications.reduce<unknown>((before, { data }) => mergePatch(before, data), undefined))
    for (const { broker } of made) {
      await eventually(async () => expect((await broker.state('a')).document).toEqual(document))
      expect((await broker.history('a', {})).position).toEqual(position)
    }
    expect(judges.flatMap(({ faults }) => faults)).toEqual([])
    nodes.close()
    for (const line of lines) await line.close()
  })
})
