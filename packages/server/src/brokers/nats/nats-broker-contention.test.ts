import { setTimeout as delay } from 'node:timers/promises'
import { describeWith, eventually, type NatsClusterServers, startNatsCluster } from '@fusewire/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { NatsBroker } from './nats-broker.ts'
import { BrokerNodes } from './testing/broker-nodes.ts'
import { Judge } from './testing/judge.ts'

const LANES = 4
const PUBLICATIONS = 60
const OPTIONS = { historySize: 10_000, historyTtlMs: 600_000, historyBytes: 100_000_000 }

describeWith(['nats-server'], 'several nodes that publish in one channel of a stream with three replicas', () => {
  let cluster: NatsClusterServers

  beforeAll(async () => {
    cluster = await startNatsCluster()
  }, 60_000)
  afterAll(() => cluster.stop())

  /** Nodes that are each connected to another server, at first. */
  const start = async (): Promise<{ nodes: BrokerNodes; brokers: readonly NatsBroker[]; heard: readonly Judge[] }> => {
    const nodes = new BrokerNodes({ replicas: 3, timeoutMs: 10_000 })
    const heard: Judge[] = []
    const brokers: NatsBroker[] = []
    for (let index = 0; index < cluster.urls.length; index++) {
      const { broker } = nodes.make(cluster.urls)
      const listener = new Judge()
      heard.push(listener)
      brokers.push(broker)
      await broker.start(listener)
      await broker.subscribe('a')
    }
    return { nodes, brokers, heard }
  }

  /** The history is the newest of what was acknowledged, and what was told. */
  const judge = async (brokers: readonly NatsBroker[], heard: readonly Judge[], acknowledged: ReadonlyMap<string, number>) => {
    const offsets = [...acknowledged.values()].sort((one, other) => one - other)
    expect(offsets).toEqual(offsets.map((_, index) => index + 1))
    for (const broker of brokers) {
      const { publications } = await broker.history('a', {})
      expect(publications.map(({ offset }) => offset)).toEqual(offsets.slice(-OPTIONS.historySize))
      for (const { data, offset } of publications) expect(acknowledged.get(data as string)).toBe(offset)
    }
    for (const { told, faults } of heard) {
      expect(faults, JSON.stringify([...told].filter(([offset, data]) => acknowledged.get(data as string) !== offset))).toEqual(
        [],
      )
      for (const [offset, data] of told) expect(acknowledged.get(data as string)).toBe(offset)
    }
  }

  it('gives each publication an offset of its own', { timeout: 60_000 }, async () => {
    const { nodes, brokers, heard } = await start()
    const acknowledged = new Map<string, number>()
    await Promise.all(
      brokers.flatMap((broker, node) =>
        Array.from({ length: LANES }, async (_, lane) => {
          for (let n = 0; n < PUBLICATIONS / LANES; n++) {
            const name = `${node}-${lane}-${n}`
            const { position } = await broker.publish('a', { data: name }, OPTIONS)
            acknowledged.set(name, position.offset)
          }
        }),
      ),
    )
    await judge(brokers, heard, acknowledged)
    nodes.close()
  })

  it('does so while servers are killed, one after the other', { timeout: 180_000 }, async () => {
    const { nodes, brokers, heard } = await start()
    const acknowledged = new Map<string, number>()
    let isOver = false
    const publishing = brokers.flatMap((broker, node) =>
      Array.from({ length: LANES }, async (_, lane) => {
        for (let n = 0; !isOver; n++) {
          const name = `${node}-${lane}-${n}`
          // What was refused may be there: with its key it is there once.
          const publish = () => broker.publish('a', { data: name }, { ...OPTIONS, idempotencyKey: name })
          while (!acknowledged.has(name))
            await publish().then(
              ({ position }) => acknowledged.set(name, position.offset),
              () => delay(20),
            )
          await delay(10)
        }
      }),
    )
    for (let index = 0; index < cluster.servers.length; index++) {
      const before = acknowledged.size
      await cluster.kill(index)
      await eventually(() => acknowledged.size > before + 20, { timeoutMs: 60_000 })
      await cluster.restart(index)
    }
    isOver = true
    await Promise.all(publishing)
    await judge(brokers, heard, acknowledged)
    nodes.close()
  })
})
