import { MemoryBroker } from '@fusewire/engine'
import { describe, expect, it } from 'vitest'
import { brokerContract } from './broker-contract/broker-contract.ts'
import { FakeEnvironment } from './fake-environment.ts'
import { SharedBroker } from './shared-broker.ts'

const KEPT = { historySize: 5, historyTtlMs: 1000, historyBytes: 1_000_000 }

brokerContract('a node of a SharedBroker', () => {
  const environment = new FakeEnvironment()
  const idempotencyTtlMs = 60_000
  const broker = new MemoryBroker(environment, { idempotencyTtlMs })
  const shared = new SharedBroker(broker)
  const pass = (ms: number): void => {
    environment.advance(ms)
    broker.sweep()
  }
  return { broker: shared.node(), another: () => shared.node(), pass, idempotencyTtlMs }
})

describe('nodes that share a broker', () => {
  it('hear of the channels that they want, and a node that leaves takes nothing from the others', async () => {
    const memory = new MemoryBroker(new FakeEnvironment())
    const shared = new SharedBroker(memory)
    const open = async () => {
      const heard: unknown[] = []
      const broker = shared.node()
      await broker.start({
        publication: (_, { data }) => heard.push(data),
        interrupted: () => undefined,
        announcement: () => undefined,
      })
      return { broker, heard }
    }
    const [one, other] = [await open(), await open()]
    await one.broker.subscribe('a')
    await other.broker.subscribe('a')
    await other.broker.subscribe('b')
    await one.broker.publish('a', { data: 1 }, KEPT)
    await one.broker.publish('b', { data: 2 }, KEPT)
    expect([one.heard, other.heard]).toEqual([[1], [1, 2]])
    await one.broker.close()
    await one.broker.close()
    await other.broker.publish('a', { data: 3 }, KEPT)
    expect([one.heard, other.heard]).toEqual([[1], [1, 2, 3]])
    const again = await open()
    expect((await again.broker.history('a', {})).publications.map(({ data }) => data)).toEqual([1, 3])
  })
})
