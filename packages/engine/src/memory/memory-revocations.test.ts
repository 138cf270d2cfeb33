import { FakeEnvironment, revocationsContract } from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { MemoryRevocations } from './memory-revocations.ts'

revocationsContract('MemoryRevocations', (limits) => {
  const environment = new FakeEnvironment()
  const revocations = new MemoryRevocations(environment, limits)
  return { revocations, now: () => environment.now(), pass: (ms) => environment.advance(ms) }
})

it('a sweep gives back the memory of revocations that have ended', () => {
  const environment = new FakeEnvironment()
  const revocations = new MemoryRevocations(environment)
  revocations.revoke({ token: 't1' }, environment.now() + 1000)
  revocations.revoke({ user: 'ada', issuedBefore: 0 }, environment.now() + 2000)
  environment.advance(1000)
  revocations.sweep()
  expect(revocations.size).toBe(1)
})
