import { brokerContract, FakeEnvironment } from '@fusewire/testkit'
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
