import { Random } from '@fusewire/testkit'
import { expect, it } from 'vitest'
import { type BusMessage, decodeBusMessage, encodeBusMessage } from './bus-message.ts'
import { delivered, factsOf, known, TestCluster } from './testing/test-cluster.ts'

const ROUNDS = 20_000

const MESSAGES: readonly BusMessage[] = [
  { type: 'alive', from: 'x', facts: factsOf('x') },
  { type: 'who', from: 'x', facts: factsOf('x') },
  { type: 'left', from: 'x' },
  { type: 'call', from: 'x', id: 1, name: 'count', data: { a: [1, 'two', null] } },
  { type: 'answer', from: 'x', id: 1, data: 7 },
  { type: 'failure', from: 'x', id: 1, code: 'overloaded', message: 'busy' },
  { type: 'notice', from: 'x', name: 'count', data: 1 },
  { type: 'part', from: 'x', message: 1, index: 0, count: 2, bytes: Uint8Array.of(1, 2, 3) },
  { type: 'part', from: 'x', message: 1, index: 1, count: 2, bytes: Uint8Array.of(1, 2, 3) },
]

/** A message with some bytes changed, left out or added, or bytes that never were one. */
const mangled = (random: Random): Uint8Array => {
  if (random.next() < 0.2) return Uint8Array.from({ length: random.integer(0, 60) }, () => random.integer(0, 255))
  const bytes = [...encodeBusMessage(random.pick(MESSAGES))]
  for (let changes = random.integer(1, 4); changes > 0; changes--) {
    const at = random.integer(0, bytes.length)
    const added = random.next() < 0.5 ? [random.integer(0, 255)] : []
    // The version mostly stays, so that what is behind it is looked at.
    bytes.splice(at === 0 && random.next() < 0.9 ? 1 : at, random.integer(0, 2), ...added)
  }
  return Uint8Array.from(bytes)
}

it('whatever comes over the bus is taken or dropped, and nodes go on', async () => {
  const nodes = new TestCluster()
  const a = await nodes.node('a')
  const b = await nodes.node('b')
  a.cluster.handle('count', () => 1)
  a.cluster.handleNotice('count', () => {})
  const broken = nodes.bus.node()
  await broken.start('broken', { message: () => {} })
  const random = new Random(5)
  const verdicts = new Map<string, number>()
  for (let n = 0; n < ROUNDS; n++) {
    const bytes = mangled(random)
    const decoded = decodeBusMessage(bytes)
    const verdict = typeof decoded === 'string' ? decoded : 'taken'
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
    await broken.send(bytes)
    if (n % 100 === 0) await nodes.pass(250)
  }
  await delivered()
  for (const verdict of ['malformed', 'version', 'taken']) expect(verdicts.get(verdict), verdict).toBeGreaterThan(100)
  const { refused } = a.cluster.stats
  expect(refused.malformed).toBeGreaterThanOrEqual(verdicts.get('malformed') ?? 0)
  expect(refused.version).toBe(verdicts.get('version'))
  expect(known(a)).toContain('b')
  expect(known(b)).toContain('a')
  expect(await b.cluster.ask('a', 'count', null, { timeoutMs: 1000 })).toBe(1)
})
