import type { BrokerListener } from '@fusewire/engine'
import type { Publication } from '@fusewire/protocol'
import { describeWith, type NatsClusterServers, startNatsCluster } from '@fusewire/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { NatsBroker } from './nats-broker.ts'
import { BrokerNodes } from './testing/broker-nodes.ts'

const LANES = 4
const PUBLICATIONS = 60
const OPTIONS = { historySize: 10_000, historyTtlMs: 600_000, historyBytes: 100_000_000 }

/** What a node is told of a channel. */
class Heard implements BrokerListener {
  readonly told = new Map<number, unknown>()
  readonly faults: string[] = []
  #last = 0
  #mayMiss = true

  publication(_: string, { offset, data }: Publication): void {
    if (offset <= this.#last) this.faults.push(`${offset} after ${this.#last}`)
    else if (offset !== this.#last + 1 && !this.#mayMiss) this.faults.push(`nothing between ${this.#last} and ${offset}`)
    this.#last = Math.max(this.#last, offset)
    this.#mayMiss = false
    this.told.set(offset, data)
  }
  interrupted(): void {
    this.#mayMiss = true
  }
  announcement(): void {}
}

describeWith(['nats-server'], 'several nodes that publish in one channel of a stream with three replicas', () => {
  let cluster: NatsClusterServers

  beforeAll(async () => {
    cluster = await startNatsCluster()
  }, 60_000)
  afterAll(() => cluster.stop())

  it('gives each publication an offset of its own', { timeout: 60_000 }, async () => {
    const nodes = new BrokerNodes({ replicas: 3, timeoutMs: 10_000 })
    const heard: Heard[] = []
    const brokers: NatsBroker[] = []
    for (const url of cluster.urls) {
      const { broker } = nodes.make([url])
      const listener = new Heard()
      heard.push(listener)
      brokers.push(broker)
      await broker.start(listener)
      await broker.subscribe('a')
    }
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
    const offsets = [...acknowledged.values()].sort((one, other) => one - other)
    expect(offsets).toEqual(offsets.map((_, index) => index + 1))
    for (const broker of brokers) {
      const { publications } = await broker.history('a', {})
      expect(publications.map(({ offset }) => offset)).toEqual(offsets)
      for (const { data, offset } of publications) expect(acknowledged.get(data as string)).toBe(offset)
    }
    for (const { told, faults } of heard) {
      expect(faults).toEqual([])
      for (const [offset, data] of told) expect(acknowledged.get(data as string)).toBe(offset)
    }
    nodes.close()
  })
})
