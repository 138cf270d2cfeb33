import { brokerContract, FakeEnvironment } from '@fusewire/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryBroker } from './memory-broker.ts'

brokerContract('MemoryBroker', () => {
  const environment = new FakeEnvironment()
  const idempotencyTtlMs = 60_000
  const broker = new MemoryBroker(environment, { idempotencyTtlMs })
  const pass = (ms: number): void => {
    environment.advance(ms)
    broker.sweep()
  }
  return { broker, pass, idempotencyTtlMs }
})

describe('a channel of the memory broker', () => {
  const CHANNEL_TTL_MS = 600_000
  const KEPT = { historySize: 5, historyTtlMs: 1000, historyBytes: 1_000_000 }
  let environment: FakeEnvironment
  let broker: MemoryBroker

  /** Lets time pass, sweeping about as often as a server does. */
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 1000) {
      environment.advance(1000)
      broker.sweep()
    }
  }

  beforeEach(() => {
    environment = new FakeEnvironment()
    broker = new MemoryBroker(environment, { channelTtlMs: CHANNEL_TTL_MS })
  })

  it('is forgotten when it was not used for its TTL, and never comes back with the same epoch', () => {
    const { position } = broker.publish('a', { data: 1 }, KEPT)
    pass(CHANNEL_TTL_MS - 2000)
    expect(broker.history('a', {}).position).toEqual(position)
    pass(3000)
    expect(broker.size.streams).toBe(0)
    const again = broker.publish('a', { data: 2 }, KEPT).position
    expect(again.offset).toBe(1)
    expect(again.epoch).not.toBe(position.epoch)
    expect(broker.history('a', { since: position }).complete).toBe(false)
  })

  it('stays as long as somebody is interested, and its TTL after that', () => {
    broker.subscribe('a')
    const { position } = broker.publish('a', { data: 1 }, KEPT)
    pass(3 * CHANNEL_TTL_MS)
    expect(broker.history('a', { since: position })).toEqual({ position, publications: [], complete: true })
    broker.unsubscribe('a')
    pass(CHANNEL_TTL_MS - 2000)
    expect(broker.size.streams).toBe(1)
    pass(CHANNEL_TTL_MS)
    expect(broker.size.streams).toBe(0)
  })

  it('stays as long as its document does, whatever the channel TTL is, and its history goes before', () => {
    const state = { ttlMs: 3 * CHANNEL_TTL_MS, maxDocumentBytes: 1000 }
    const { position } = broker.publish('a', { data: 1 }, { ...KEPT, state })
    pass(2 * CHANNEL_TTL_MS)
    expect(broker.state('a')).toMatchObject({ position, document: 1 })
    expect(broker.history('a', {})).toEqual({ position, publications: [], complete: true })
    pass(2 * CHANNEL_TTL_MS)
    expect(broker.size.streams).toBe(0)
    expect(broker.state('a').position.epoch).not.toBe(position.epoch)
  })
})
