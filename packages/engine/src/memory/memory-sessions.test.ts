import { FakeEnvironment, sessionRecord, sessionStoreContract } from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { MemorySessions } from './memory-sessions.ts'

sessionStoreContract('MemorySessions', ({ traceMs }) => {
  const environment = new FakeEnvironment()
  const sessions = new MemorySessions(environment, { traceMs })
  return {
    store: sessions.node('a'),
    another: (node) => sessions.node(node),
    // A TTL ends with the slot of the wheel that it falls into.
    pass: (ms) => environment.advance(ms + 100),
    traceMs,
    forget: () => sessions.forget(),
  }
})

it('holds nothing of sessions that have ended, once their traces are forgotten', () => {
  const environment = new FakeEnvironment()
  const sessions = new MemorySessions(environment, { traceMs: 1000 })
  const [a, b] = [sessions.node('a'), sessions.node('b')]
  a.put([sessionRecord('s1'), sessionRecord('s2')], 5000)
  b.take('s1', 5000)
  expect(sessions.size).toBe(2)
  b.remove(['s1'])
  a.remove(['s2'])
  expect(sessions.size).toBe(0)
  environment.advance(1001)
  expect(a.put([sessionRecord('s1')], 5000)).toEqual([])
})
